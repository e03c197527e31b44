#pragma once

#include <boost/json/object.hpp>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "provisioning/records.hpp"

namespace iotsky::provisioning {

/// Reads the members of a JSON object and notes each fault with its JSON pointer; finish() tells
/// them all, unknown members too. For the .cpp files of this folder only.
class Fields {
  public:
    /// Errors: E4101 not JSON, or not an object.
    [[nodiscard]] static Result<Fields> parse(std::string_view text);

    [[nodiscard]] std::string text(std::string_view name, std::string_view fallback);
    [[nodiscard]] std::optional<std::string> optional_text(std::string_view name);
    [[nodiscard]] std::vector<std::string> texts(std::string_view name);
    [[nodiscard]] Attributes attributes(std::string_view name);
    [[nodiscard]] std::optional<Id> id(std::string_view name, std::string_view prefix);
    /// Null when there is none; owned by this object.
    [[nodiscard]] Fields* object(std::string_view name);
    /// Members that may be there and are not read.
    void ignore(std::initializer_list<std::string_view> names);

    /// Error: E4104 with every wrong or unknown member.
    [[nodiscard]] Result<void> finish();

  private:
    Fields(boost::json::object object, std::string pointer);

    /// Null when absent or JSON null; notes that it was asked for.
    [[nodiscard]] const boost::json::value* member(std::string_view name);
    void wrong(std::string_view name, std::string_view message);
    void collect(std::vector<FieldError>& faults);

    boost::json::object object_;
    std::string pointer_;
    std::set<std::string, std::less<>> read_;
    std::map<std::string, std::unique_ptr<Fields>, std::less<>> inner_;
    std::vector<FieldError> faults_;
};

}  // namespace iotsky::provisioning
