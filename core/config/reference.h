// The tables of docs/operating/config.md, made from describe.h, and the refreshing of a document that holds them. Pure
// functions. Any thread.
//
// A document marks the places, and everything else in it is prose that nobody generates:
//
//     <!-- fields of listeners[] -->
//     ... a table ...
//     <!-- end of fields -->
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

struct ReferenceTable {
  std::string path;      // "", "listeners[]", "upstreams[].timeouts"
  std::string markdown;  // ends in a newline
};

// One for the top of the file, then one for each section and list, in the order of describe.h.
std::vector<ReferenceTable> reference_tables(std::span<const std::string_view> algorithms);

// `document` with the marked places filled with what belongs there now. Marks whose path does not exist are left alone.
std::string refresh_reference(std::string_view document, std::span<const std::string_view> algorithms);

// The line that opens the place of the table of `path`.
std::string reference_mark(std::string_view path);

}  // namespace weir::config
