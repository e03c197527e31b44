#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/flat_index.hpp"
#include "broker/slot_pool.hpp"
#include "broker/subscriber_list.hpp"

namespace iotsky::broker {

/// The Topic Filters of one shard of the TopicIndex: those without a wildcard in a hash, the others
/// in a trie of levels. Not synchronised: the shard's lock guards it.
///
/// The trie has one hash of (node, level) -> node instead of a map in each node. A path is at most
/// kStepsMax nodes long: a filter with more levels hangs whole at the node of its first ones and is
/// compared as text. Otherwise 65,535 levels of one byte would cost a node each, four megabytes for
/// one filter. Nothing recurses.
class FilterTable {
  public:
    static constexpr std::size_t kStepsMax = 32;
    /// What the first step of a path is. `two_levels`: all filters here have two literal levels
    /// first, and these are one step.
    enum class FirstStep : std::uint8_t { one_level, two_levels };
    explicit FilterTable(FirstStep first);

    /// Adds or replaces; returns what was replaced.
    std::optional<Subscriber> put(std::string_view filter, const Subscriber& subscriber);
    /// Returns what was removed.
    std::optional<Subscriber> erase(std::string_view filter, SessionRef session, Form form);
    /// Appends the subscribers of all filters that match `topic`.
    void match(std::string_view topic, std::vector<Subscriber>& out) const;

    /// Nodes, lists and texts in use; 0 when the last filter is gone.
    [[nodiscard]] std::size_t parts() const noexcept;

  private:
    using Id = std::uint32_t;
    static constexpr Id kNone = 0;

    struct Exact {
        std::string filter;
        SubscriberList list;
    };
    /// A filter with more steps than a path has. The hash is compared first: texts may be long and
    /// alike.
    struct Long {
        std::uint32_t hash = 0;
        std::string filter;
        SubscriberList list;
    };
    struct Node {
        std::string level;  ///< how the parent leads here; empty for '+'
        Id parent = kNone;
        std::uint32_t hash = 0;
        std::uint32_t children = 0;  ///< '+' included
        Id plus = kNone;             ///< child
        Id here = kNone;             ///< list of the filter that ends here
        Id below = kNone;            ///< list of the filter that goes on with '#'
        bool has_long = false;       ///< `long_filters_` has some that begin like this
    };
    /// Where a filter with a wildcard has its list.
    struct Spot {
        Id node = kNone;
        enum class Kind : std::uint8_t { here, below, long_filter } kind = Kind::here;
    };
    class Steps;
    class Matching;

    [[nodiscard]] static std::uint32_t text_hash(std::string_view text) noexcept;
    [[nodiscard]] Id find_exact(std::string_view filter, std::uint32_t hash) const;
    [[nodiscard]] Id child(Id node, std::string_view level, std::uint64_t level_hash) const;
    [[nodiscard]] Id child_or_new(Id node, std::string_view level);
    [[nodiscard]] Spot spot(std::string_view filter) const;
    [[nodiscard]] Spot make_spot(std::string_view filter);
    template <typename Descend>
    [[nodiscard]] Spot walk(std::string_view filter, Descend&& descend) const;
    [[nodiscard]] SubscriberList* long_list_at(const Node& node, Id id, std::string_view filter);
    [[nodiscard]] SubscriberList* list_at(const Spot& spot, std::string_view filter);
    [[nodiscard]] SubscriberList& list_or_new(const Spot& spot, std::string_view filter);
    [[nodiscard]] SubscriberList* list_of(std::string_view filter);
    void drop_list(std::string_view filter);
    void drop_long(Id node, std::string_view filter);
    void drop_exact(std::string_view filter);
    void drop_empty_nodes(Id node);

    FirstStep first_;
    SlotPool<Exact> exacts_;
    FlatIndex exact_index_;
    SlotPool<Node> nodes_;
    FlatIndex edges_;
    SlotPool<SubscriberList> lists_;
    Id root_ = kNone;  ///< made with the first filter, gone with the last
    std::unordered_map<Id, std::vector<Long>> long_filters_;  // by the node of their first steps
};

}  // namespace iotsky::broker
