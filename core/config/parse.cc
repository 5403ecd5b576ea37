#include "core/config/parse.h"

#include <filesystem>

#include "core/config/preset.h"
#include "core/config/reader.h"
#include "core/config/source.h"
#include "core/config/validate.h"
#include "core/config/yaml_tree.h"

namespace weir::config {
namespace {

constexpr std::string_view dotenv_name = ".env";

ParseResult refused(std::vector<Diagnostic> diagnostics) {
  sort_by_place(diagnostics);
  return {std::nullopt, std::move(diagnostics)};
}

ParseResult parse_source(const SourceText& source, const Environment& environment,
                         std::span<const std::string_view> algorithms) {
  std::vector<Diagnostic> diagnostics = source.check_is_text();
  if (!diagnostics.empty()) return refused(std::move(diagnostics));
  const auto tree = read_yaml(source, diagnostics);
  if (!tree) return refused(std::move(diagnostics));
  if (tree->root == nullptr || tree->root->kind == YamlNode::Kind::null) {
    return refused(
        {source.diagnostic({"the file is empty", "a configuration has at least `listeners` and `upstreams`"})});
  }
  if (tree->root->kind != YamlNode::Kind::mapping) {
    return refused({source.diagnostic(tree->root->offset, "a configuration is a mapping at its top",
                                      "write `listeners:` and `upstreams:` at the beginning of a line")});
  }

  ReadContext context{source, environment, algorithms, diagnostics};
  Config config;
  Reader::describe_into(context, *tree->root, "", config);
  name_the_unnamed(config);
  const auto what_is_said = [&](const std::string& path) {
    if (context.is_broken(path)) return Said::broken;
    if (context.is_damaged(path)) return Said::damaged;
    return context.is_written(path) ? Said::something : Said::nothing;
  };
  apply_presets(config, what_is_said);
  for (Complaint& complaint : validate(config, what_is_said)) {
    if (context.is_broken(complaint.path)) continue;  // what is wrong there has been said
    context.wrong(complaint.path, context.place_of(complaint.path), std::move(complaint.mistake));
  }
  if (!diagnostics.empty()) return refused(std::move(diagnostics));
  return {std::move(config), {}};
}

}  // namespace

ParseResult parse_text(std::string_view text, std::string_view file_name, const Environment& environment,
                       std::span<const std::string_view> algorithms) {
  return parse_source(SourceText{std::string{file_name}, text}, environment, algorithms);
}

ParseResult parse_file(const std::string& path, const Environment& environment,
                       std::span<const std::string_view> algorithms) {
  const auto text = read_file(path);
  if (!text) return refused({SourceText{path, ""}.diagnostic(text.error().mistake)});

  const std::string dotenv_path = (std::filesystem::path{path}.parent_path() / dotenv_name).string();
  const auto dotenv = read_file(dotenv_path);
  if (!dotenv && dotenv.error().missing) return parse_text(*text, path, environment, algorithms);
  const SourceText dotenv_source{dotenv_path, dotenv ? *dotenv : ""};
  std::vector<Diagnostic> diagnostics;
  if (!dotenv) diagnostics.push_back(dotenv_source.diagnostic(dotenv.error().mistake));
  auto variables = parse_dotenv(dotenv_source, diagnostics);

  ParseResult result = parse_text(*text, path, layered(environment, environment_of(std::move(variables))), algorithms);
  if (diagnostics.empty()) return result;
  result.diagnostics.insert(result.diagnostics.end(), diagnostics.begin(), diagnostics.end());
  return refused(std::move(result.diagnostics));
}

ParseResult check_config(Config config, std::string_view origin) {
  name_the_unnamed(config);
  const SourceText nowhere{std::string{origin}, ""};
  std::vector<Diagnostic> diagnostics;
  for (Complaint& complaint : validate(config, [](const std::string&) { return Said::nothing; })) {
    diagnostics.push_back(
        nowhere.diagnostic({complaint.path + ": " + complaint.mistake.message, std::move(complaint.mistake.fix)}));
  }
  if (!diagnostics.empty()) return refused(std::move(diagnostics));
  return {std::move(config), {}};
}

}  // namespace weir::config
