#include "net/http/characters.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string_view>
#include <vector>

namespace weir::http {
namespace {

// Each class once more, as the RFCs put it.
TEST(Characters, AreInTheirClasses) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool visible = byte > 0x20 && byte < 0x7f;
    const bool alphanumeric = byte < 0x80 && std::isalnum(byte) != 0;
    const bool delimiter = std::string_view{"\"(),/:;<=>?@[\\]{}"}.find(c) != std::string_view::npos;
    EXPECT_EQ(is_in(c, token_character), visible && !delimiter) << byte;
    EXPECT_EQ(is_in(c, value_character), visible || byte >= 0x80 || c == ' ' || c == '\t') << byte;
    EXPECT_EQ(is_in(c, target_character), visible && c != '#') << byte;
    EXPECT_EQ(is_in(c, reg_name_character),
              alphanumeric || (byte != 0 && std::string_view{"-._~!$&'()*+;="}.find(c) != std::string_view::npos))
        << byte;
    EXPECT_EQ(is_in(c, hex_character), byte < 0x80 && std::isxdigit(byte) != 0) << byte;
    EXPECT_EQ(is_digit(c), byte >= '0' && byte <= '9') << byte;
    EXPECT_EQ(is_blank(c), byte == ' ' || byte == '\t') << byte;
  }
}

TEST(Characters, AllOfATextAndNotOfNone) {
  EXPECT_TRUE(is_all("chunked", token_character));
  EXPECT_FALSE(is_all("chunk ed", token_character));
  EXPECT_FALSE(is_all("", token_character));
}

TEST(Characters, ListsAreTakenElementByElement) {
  const struct {
    std::string_view list;
    std::vector<std::string_view> elements;
  } rows[] = {
      {"", {}},
      {"a", {"a"}},
      {" a ,\tb\t", {"a", "b"}},
      {"a,,b", {"a", "", "b"}},
      {",a", {"", "a"}},
      {"a b, c", {"a b", "c"}},
      {"a,", {"a"}},  // what is behind the last comma is looked for by nobody but who asks for it
      {" ", {""}},
  };
  for (const auto& row : rows) {
    std::string_view rest = row.list;
    std::vector<std::string_view> elements;
    while (!rest.empty()) elements.push_back(take_element(rest));
    EXPECT_EQ(elements, row.elements) << row.list;
  }
}

}  // namespace
}  // namespace weir::http
