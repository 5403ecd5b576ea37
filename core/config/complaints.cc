#include "core/config/complaints.h"

#include "core/config/suggest.h"

namespace weir::config {
namespace {

constexpr size_t suggestions_from_max = 1000;  // names that are compared with one that is not known

}  // namespace

Complaints::Complaints(const Config& config, const WhatIsSaid& what_is_said)
    : config_(config), what_is_said_(what_is_said) {
  for (const UpstreamConfig& upstream : config.upstreams) upstreams_.insert(upstream.name);
}

void Complaints::add(std::string path, std::string message, std::string fix) {
  if (!full()) list_.push_back({std::move(path), {std::move(message), std::move(fix)}});
}

void Complaints::says_nothing(const std::string& path, const std::string& with, std::string fix) {
  if (is_written(path)) add(path, "this says nothing with `" + with + "`", std::move(fix));
}

void Complaints::says_nothing_without(const std::string& path, const std::string& what, std::string fix) {
  if (is_written(path)) add(path, "this says nothing without " + what, std::move(fix));
}

void Complaints::upstream_exists(const std::string& path, const std::string& name) {
  if (name.empty()) return;
  // An upstream whose name could not be read may be the one that is meant; that there is none at all is said elsewhere.
  if (upstreams_.contains(name) || upstreams_.contains("") || upstreams_.empty()) return;
  std::vector<std::string_view> known;
  for (const UpstreamConfig& upstream : config_.upstreams) {
    if (known.size() < suggestions_from_max) known.push_back(upstream.name);
  }
  add(path, "there is no upstream " + quoted(name), did_you_mean(name, known));
}

std::string indexed(std::string_view list, size_t index) {
  return std::string{list} + "[" + std::to_string(index) + "]";
}

}  // namespace weir::config
