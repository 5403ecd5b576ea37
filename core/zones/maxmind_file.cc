#include "core/zones/maxmind_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "core/base/assert.h"

namespace weir::zones {
namespace {

// Between the search tree and the records, by the format.
constexpr uint32_t separator_bytes = 16;

// What open(2) and mmap(2) would say in words that help nobody, or, of a pipe, only when somebody writes to it.
std::string trouble_with(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    const int error = errno;
    return "'" + path + "' cannot be opened: " + std::strerror(error) +
           (error == ENOENT ? "; give the path of a MaxMind DB file (.mmdb) that exists" : "");
  }
  if (!S_ISREG(status.st_mode)) return "'" + path + "' is not a file; give the path of a MaxMind DB file (.mmdb)";
  if (status.st_size == 0) return "'" + path + "' is empty; put a MaxMind DB file (.mmdb) there";
  return {};
}

std::string refusal(const std::string& path, int status, int error) {
  switch (status) {
    case MMDB_FILE_OPEN_ERROR:
    case MMDB_IO_ERROR: return "'" + path + "' cannot be opened: " + std::strerror(error);
    case MMDB_UNKNOWN_DATABASE_FORMAT_ERROR:
      return "'" + path + "' is in a version of the MaxMind DB format that libmaxminddb " + MMDB_lib_version() +
             " does not know; this needs version 2";
    case MMDB_INVALID_METADATA_ERROR:
    case MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR:  // its metadata end too early
    case MMDB_INVALID_DATA_ERROR:
    case MMDB_CORRUPT_SEARCH_TREE_ERROR:
      return "'" + path +
             "' is not a MaxMind DB file, or only a part of one: what ends such a file is missing. If it " +
             "was downloaded as an archive (.tar.gz), unpack that first; if not, download it again";
    default: return "'" + path + "' cannot be opened: " + MMDB_strerror(status);
  }
}

}  // namespace

Result<std::unique_ptr<MaxMindFile>, std::string> MaxMindFile::open(const std::string& path) {
  if (std::string trouble = trouble_with(path); !trouble.empty()) return trouble;
  std::unique_ptr<MaxMindFile> file(new MaxMindFile);
  MMDB_s& database = file->database_;
  if (const int status = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &database); status != MMDB_SUCCESS) {
    const int error = errno;
    database = {};
    return refusal(path, status, error);
  }
  file->description_ = "'" + path + "' (" + database.metadata.database_type + ")";
  // libmaxminddb 1.7 multiplies these in 32 bits.
  const uint64_t tree_bytes = uint64_t{database.metadata.node_count} * database.full_record_byte_size;
  if (tree_bytes + separator_bytes > static_cast<uint64_t>(database.file_size)) {
    return file->description_ + " is damaged: its search tree does not fit into it. Download it again";
  }
  return file;
}

MaxMindFile::~MaxMindFile() {
  if (database_.file_content != nullptr) MMDB_close(&database_);
}

MaxMindFile::Branch MaxMindFile::branch(uint32_t number) const {
  if (number < nodes()) return {Branch::Kind::node, number};
  if (number == nodes()) return {Branch::Kind::nothing, 0};
  const uint32_t behind_tree = number - nodes();
  if (behind_tree < separator_bytes || behind_tree - separator_bytes >= database_.data_section_size) {
    return {Branch::Kind::damaged, 0};
  }
  return {Branch::Kind::record, behind_tree - separator_bytes};
}

MaxMindFile::Node MaxMindFile::node(uint32_t number) const {
  WEIR_ASSERT(number < nodes(), number);
  MMDB_search_node_s node{};
  const int status = MMDB_read_node(&database_, number, &node);
  WEIR_ASSERT(status == MMDB_SUCCESS, status);
  return {branch(static_cast<uint32_t>(node.left_record)), branch(static_cast<uint32_t>(node.right_record))};
}

}  // namespace weir::zones
