#include "net/proxy/field_edit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "net/proxy/http_worker.h"

namespace weir {
namespace {

using http::FieldId;
using Kind = FieldRule::Kind;

class FieldEdit : public testing::Test {
 protected:
  FieldEdit() { facts_.path = "/p"; }

  static FieldRule rule(Kind kind, std::string name, std::string value = {}) {
    return {kind, std::move(name), {{{TemplateFact::none, std::move(value)}}}};
  }
  void add(std::string_view name, std::string_view value) { add_field(*fields_, name, value, http::field_id_of(name)); }
  // Rules outlive the fields that were made by them.
  void apply(const std::vector<FieldRule>& rules) {
    rules_.push_back(rules);
    apply_rules(*fields_, rules_.back(), facts_, scratch_);
  }
  // As it would be written.
  std::string text() const {
    std::string text;
    for (const http::Field& field : *fields_) {
      if (!field.hop) text += std::string{field.name} + ": " + std::string{field.value} + "\n";
    }
    return text;
  }

  std::deque<std::vector<FieldRule>> rules_;
  std::unique_ptr<http::Fields> fields_ = std::make_unique<http::Fields>();
  TemplateFacts facts_;
  Scratch scratch_;
};

TEST_F(FieldEdit, RemovesEveryFieldOfANameInAnyCase) {
  add("X-A", "1");
  add("x-a", "2");
  add("X-AB", "3");
  add("Server", "s");
  remove_field(*fields_, "X-a");
  EXPECT_EQ(text(), "X-AB: 3\nServer: s\n");
  remove_field(*fields_, "Server");
  EXPECT_EQ(text(), "X-AB: 3\n");
  remove_field(*fields_, "not there");
  EXPECT_EQ(text(), "X-AB: 3\n");
}

TEST_F(FieldEdit, RemovingWhatIsNotThereLeavesTheRest) {
  add("X-Other", "1");
  add("Via", "2");
  remove_field(*fields_, "Date");
  EXPECT_EQ(text(), "X-Other: 1\nVia: 2\n");
}

TEST_F(FieldEdit, SetReplacesAllAndAddAddsOne) {
  add("A", "1");
  add("a", "2");
  add("B", "3");
  apply({rule(Kind::set, "A", "new"), rule(Kind::add, "B", "4")});
  EXPECT_EQ(text(), "B: 3\nA: new\nB: 4\n");
}

TEST_F(FieldEdit, SetWorksWhereThereWasNone) {
  apply({rule(Kind::set, "A", "new")});
  EXPECT_EQ(text(), "A: new\n");
}

// Whatever order they were written in: first what goes, then what is set, then what is added.
TEST_F(FieldEdit, TheOrderIsRemoveSetAdd) {
  std::vector<FieldRule> rules{rule(Kind::add, "A", "added"), rule(Kind::set, "A", "set"), rule(Kind::remove, "A"),
                               rule(Kind::remove, "B"), rule(Kind::add, "B", "b")};
  std::sort(rules.begin(), rules.end(), [](const auto& a, const auto& b) { return a.kind < b.kind; });
  do {
    fields_->clear();
    add("A", "given");
    add("B", "given");
    apply(rules);
    const std::string written = text();
    ASSERT_TRUE(written == "A: set\nA: added\nB: b\n" || written == "A: set\nB: b\nA: added\n") << written;
  } while (std::next_permutation(rules.begin(), rules.end(), [](const auto& a, const auto& b) {
    return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
  }));
}

TEST_F(FieldEdit, ValuesAreExpanded) {
  FieldRule moved{
      Kind::set, "X-Path", {{{TemplateFact::none, "<"}, {TemplateFact::path, ""}, {TemplateFact::none, ">"}}}};
  apply({moved});
  EXPECT_EQ(text(), "X-Path: </p>\n");
}

TEST_F(FieldEdit, WhatWasMarkedStaysMarked) {
  fields_->add({"Connection", "close", FieldId::connection, true});
  apply({rule(Kind::add, "X", "1")});
  EXPECT_EQ(text(), "X: 1\n");
}

TEST_F(FieldEdit, AFullSectionTakesNoMore) {
  while (!fields_->full()) add("X", "1");
  add("Y", "2");
  EXPECT_EQ(fields_->count(), http::Fields::count_max);
  EXPECT_EQ(text().find("Y"), std::string::npos);
  apply({rule(Kind::remove, "X"), rule(Kind::set, "Y", "2")});
  EXPECT_EQ(text(), "");
}

}  // namespace
}  // namespace weir
