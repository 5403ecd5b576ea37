#include "core/config/description.h"

#include "core/config/describe.h"

namespace weir::config {
namespace {

// The visitor of describe.h that writes down what it is told.
class Describer {
 public:
  explicit Describer(std::span<const std::string_view> algorithms) : algorithms_(algorithms) {}

  std::span<const std::string_view> algorithms() const noexcept { return algorithms_; }
  std::vector<FieldDescription> take() && { return std::move(fields_); }

  template <class T, class Kind>
  void value(std::string_view key, const T& field, const Kind& kind, const Note& note) {
    FieldDescription& description = add(key, FieldDescription::Shape::value, note);
    description.type = kind.type();
    if (!note.required) description.default_text = kind.show(field);
  }

  template <class T, class Kind>
  void values(std::string_view key, const T& field, const Kind& kind, const Note& note) {
    FieldDescription& description = add(key, FieldDescription::Shape::values, note);
    description.type = kind.type();
    description.default_text = kind.show(field);
  }

  template <class T>
  void section(std::string_view key, T& field, const Note& note) {
    add(key, FieldDescription::Shape::section, note).fields = fields_of(field);
  }

  template <class T>
  void section(std::string_view key, std::optional<T>& /*field*/, const Note& note) {
    T inside;
    add(key, FieldDescription::Shape::section, note).fields = fields_of(inside);
  }

  template <class T>
  void list(std::string_view key, const std::vector<T>& /*field*/, const Note& note) {
    T element;
    add(key, FieldDescription::Shape::list, note).fields = fields_of(element);
  }

  void pairs(std::string_view key, const Metadata& /*field*/, const Note& note) {
    add(key, FieldDescription::Shape::pairs, note);
  }

 private:
  template <class T>
  std::vector<FieldDescription> fields_of(T& object) const {
    Describer inner{algorithms_};
    describe(inner, object);
    return std::move(inner).take();
  }

  FieldDescription& add(std::string_view key, FieldDescription::Shape shape, const Note& note) {
    FieldDescription& description = fields_.emplace_back();
    description.key = key;
    description.shape = shape;
    description.sentence = note.sentence;
    description.otherwise = note.otherwise;
    description.short_form = note.short_form;
    description.required = note.required;
    return description;
  }

  std::span<const std::string_view> algorithms_;
  std::vector<FieldDescription> fields_;
};

}  // namespace

std::vector<FieldDescription> describe_config(std::span<const std::string_view> algorithms) {
  Describer describer{algorithms};
  Config defaults;
  describe(describer, defaults);
  return std::move(describer).take();
}

}  // namespace weir::config
