#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace iotsky::acl {

/// What a request asks for; the names are AWS IoT's ("iot:Publish").
enum class Action : std::uint8_t {
    connect,                           ///< client/<Client Identifier>
    publish,                           ///< topic/<Topic Name>
    retain_publish,                    ///< topic/<Topic Name>, besides publish when RETAIN is set
    subscribe,                         ///< topicfilter/<Topic Filter>
    receive,                           ///< topic/<Topic Name>, at every delivery
    get_retained_message,              ///< topic/<Topic Name>, HTTP
    list_retained_messages,            ///< "*", HTTP
    get_thing_shadow,                  ///< thing/<thing> or thing/<thing>/<shadow>, HTTP
    update_thing_shadow,               ///< the same
    delete_thing_shadow,               ///< the same
    list_named_shadows_for_thing,      ///< "*", HTTP
    describe_job_execution,            ///< thing/<thing>, HTTP
    get_pending_job_executions,        ///< thing/<thing>, HTTP
    start_next_pending_job_execution,  ///< thing/<thing>, HTTP
    update_job_execution,              ///< thing/<thing>, HTTP
    assume_role_with_certificate,      ///< rolealias/<role alias>
};

inline constexpr std::size_t kActionCount = 16;

/// Every action in the order of the enumeration.
[[nodiscard]] const std::array<Action, kActionCount>& all_actions() noexcept;

/// "iot:Publish".
[[nodiscard]] std::string_view to_string(Action action) noexcept;

/// What follows the account in the ARN of the resource of `action`: "topic/", "topicfilter/",
/// "client/", "thing/", "rolealias/"; empty for the actions whose resource is "*".
[[nodiscard]] std::string_view resource_prefix(Action action) noexcept;

/// The action of that name, with or without "iot:", in any letter case; "publish" and "Publish"
/// give Action::publish.
[[nodiscard]] std::optional<Action> parse_action(std::string_view name) noexcept;

/// A set of actions. Thread: a value.
class ActionSet {
  public:
    constexpr ActionSet() = default;
    constexpr void add(Action action) noexcept { bits_ |= bit(action); }
    constexpr void add(ActionSet other) noexcept { bits_ |= other.bits_; }
    [[nodiscard]] constexpr bool has(Action action) const noexcept {
        return (bits_ & bit(action)) != 0;
    }
    [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }
    friend constexpr bool operator==(ActionSet, ActionSet) = default;

  private:
    static constexpr std::uint32_t bit(Action action) noexcept {
        return std::uint32_t{1} << static_cast<unsigned>(action);
    }
    std::uint32_t bits_ = 0;
};

/// The actions that an action pattern of a policy names: letter case does not matter, "*" is any
/// run of characters, "?" one. Empty when it names none.
[[nodiscard]] ActionSet match_actions(std::string_view pattern) noexcept;

}  // namespace iotsky::acl
