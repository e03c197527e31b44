#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace iotsky::acl {

/// The names behind `$me/`: turned into canonical names at the broker's edge, before rights, index,
/// retained store and log. Pure text. Thread: immutable value.
///
/// `$me/x` is `root/x` and `$me` alone is `root`, but `$me/notice`, `time`, `info` and `cert` (with
/// whatever is below) are under `reserved_root`, where neither the project can read them nor the
/// thing forge them.
struct MeAlias {
    std::string root;           ///< "7b/otter/weather"; empty for a classless thing.
    std::string reserved_root;  ///< "$iotsky/things/<id>"; empty when there is no thing.

    /// Whether the text is `$me` or starts with `$me/`.
    [[nodiscard]] static bool is_alias(std::string_view text) noexcept;

    /// The canonical Topic Name; a text that is no alias comes back as it is. Nothing when there is
    /// no such name for this identity (no thing; classless and not notice, time, info) or when it
    /// would be longer than 65,535 bytes: refuse.
    [[nodiscard]] std::optional<std::string> expand_topic(std::string_view topic) const;

    /// The canonical Topic Filters, one or two: `$me/#`, `$me/+` and other filters whose first
    /// level is a wildcard reach the own tree and the reserved names. Nothing: refuse, as above.
    [[nodiscard]] std::optional<std::vector<std::string>> expand_filter(
        std::string_view filter) const;

    /// The `$me/...` name of a canonical Topic Name, for deliveries to subscriptions made with
    /// `$me/`. Nothing when it has none; deliver under the canonical name then. So is
    /// `root/notice`, which would otherwise look like a notice of the broker.
    [[nodiscard]] std::optional<std::string> contract(std::string_view topic) const;
};

}  // namespace iotsky::acl
