#include "broker/filter_table.hpp"

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <utility>

#include "base/siphash.hpp"
#include "broker/mqtt/topic.hpp"
#include "broker/topic_prefix.hpp"

namespace iotsky::broker {
namespace {

constexpr std::string_view kPlus = "+";
constexpr std::string_view kHash = "#";

std::uint64_t level_hash_of(std::string_view level) noexcept {
    return siphash13(process_hash_key(), level);
}

/// Place of the edge (node, level). Unguessable as long as `level_hash` is.
std::uint32_t edge_hash(std::uint32_t node, std::uint64_t level_hash) noexcept {
    std::uint64_t mixed = (level_hash ^ node) * 0x9e3779b97f4a7c15U;
    mixed ^= mixed >> 32U;
    return static_cast<std::uint32_t>((mixed * 0xd6e8feb86659fd93U) >> 32U);
}

void append(const SubscriberList& list, std::vector<Subscriber>& out) {
    const auto all = list.all();
    out.insert(out.end(), all.begin(), all.end());
}

}  // namespace

/// The steps of a name or filter through the trie.
class FilterTable::Steps {
  public:
    Steps(std::string_view text, FirstStep first) noexcept
        : rest_(text),
          bytes_(first == FirstStep::two_levels ? topic_prefix(text).size()
                                                : std::min(text.find('/'), text.size())) {}
    [[nodiscard]] std::string_view now() const noexcept { return rest_.substr(0, bytes_); }
    [[nodiscard]] bool last() const noexcept { return bytes_ == rest_.size(); }
    void advance() noexcept {
        rest_.remove_prefix(bytes_ + 1);
        bytes_ = std::min(rest_.find('/'), rest_.size());
    }

  private:
    std::string_view rest_;
    std::size_t bytes_;
};

FilterTable::FilterTable(FirstStep first) : first_(first) {}

std::size_t FilterTable::parts() const noexcept {
    return exacts_.size() + exact_index_.size() + nodes_.size() + edges_.size() + lists_.size() +
           long_filters_.size();
}

std::uint32_t FilterTable::text_hash(std::string_view text) noexcept {
    return static_cast<std::uint32_t>(siphash13(process_hash_key(), text) >> 32U);
}

// --- changes

std::optional<Subscriber> FilterTable::put(std::string_view filter, const Subscriber& subscriber) {
    if (mqtt::has_wildcard(filter)) {
        return list_or_new(make_spot(filter), filter).put(subscriber);
    }
    const std::uint32_t hash = text_hash(filter);
    Id id = find_exact(filter, hash);
    if (id == kNone) {
        id = exacts_.take();
        exacts_[id].filter = filter;
        exact_index_.insert(hash, id);
    }
    return exacts_[id].list.put(subscriber);
}

std::optional<Subscriber> FilterTable::erase(std::string_view filter, SessionRef session,
                                             Form form) {
    SubscriberList* list = list_of(filter);
    if (list == nullptr) {
        return std::nullopt;
    }
    std::optional<Subscriber> gone = list->erase(session, form);
    if (list->empty()) {
        drop_list(filter);
    }
    return gone;
}

// --- filters without a wildcard

FilterTable::Id FilterTable::find_exact(std::string_view filter, std::uint32_t hash) const {
    return exact_index_.find(hash, [&](Id id) { return exacts_[id].filter == filter; });
}

void FilterTable::drop_exact(std::string_view filter) {
    const std::uint32_t hash = text_hash(filter);
    const Id id = find_exact(filter, hash);
    exact_index_.erase(hash, id);
    exacts_.give_back(id);
}

// --- the trie

FilterTable::Id FilterTable::child(Id node, std::string_view level,
                                   std::uint64_t level_hash) const {
    return edges_.find(edge_hash(node, level_hash), [&](Id id) {
        const Node& it = nodes_[id];
        return it.parent == node && it.level == level;
    });
}

FilterTable::Id FilterTable::child_or_new(Id node, std::string_view level) {
    const bool is_plus = level == kPlus;
    const std::uint64_t level_hash = is_plus ? 0 : level_hash_of(level);
    const Id known = is_plus ? nodes_[node].plus : child(node, level, level_hash);
    if (known != kNone) {
        return known;
    }
    const Id id = nodes_.take();
    Node& made = nodes_[id];
    made.parent = node;
    ++nodes_[node].children;
    if (is_plus) {
        nodes_[node].plus = id;
    } else {
        made.level = level;
        made.hash = edge_hash(node, level_hash);
        edges_.insert(made.hash, id);
    }
    return id;
}

/// Follows `filter` from the root; `descend(node, level)` gives the next node, kNone ends the walk.
template <typename Descend>
FilterTable::Spot FilterTable::walk(std::string_view filter, Descend&& descend) const {
    Spot spot{root_};
    Steps steps(filter, first_);
    for (std::size_t taken = 0; spot.node != kNone; ++taken) {
        if (steps.now() == kHash) {
            spot.kind = Spot::Kind::below;
            return spot;
        }
        if (taken == kStepsMax) {
            spot.kind = Spot::Kind::long_filter;
            return spot;
        }
        spot.node = descend(spot.node, steps.now());
        if (steps.last()) {
            return spot;
        }
        steps.advance();
    }
    return spot;
}

FilterTable::Spot FilterTable::spot(std::string_view filter) const {
    return walk(filter, [this](Id node, std::string_view level) {
        return level == kPlus ? nodes_[node].plus : child(node, level, level_hash_of(level));
    });
}

FilterTable::Spot FilterTable::make_spot(std::string_view filter) {
    if (root_ == kNone) {
        root_ = nodes_.take();
    }
    return walk(filter,
                [this](Id node, std::string_view level) { return child_or_new(node, level); });
}

SubscriberList* FilterTable::long_list_at(const Node& node, Id id, std::string_view filter) {
    if (node.has_long) {
        const std::uint32_t hash = text_hash(filter);
        for (Long& one : long_filters_.find(id)->second) {
            if (one.hash == hash && one.filter == filter) {
                return &one.list;
            }
        }
    }
    return nullptr;
}

SubscriberList* FilterTable::list_at(const Spot& spot, std::string_view filter) {
    if (spot.node == kNone) {
        return nullptr;
    }
    const Node& node = nodes_[spot.node];
    if (spot.kind == Spot::Kind::long_filter) {
        return long_list_at(node, spot.node, filter);
    }
    const Id list = spot.kind == Spot::Kind::here ? node.here : node.below;
    return list == kNone ? nullptr : &lists_[list];
}

SubscriberList& FilterTable::list_or_new(const Spot& spot, std::string_view filter) {
    if (SubscriberList* known = list_at(spot, filter)) {
        return *known;
    }
    Node& node = nodes_[spot.node];
    if (spot.kind == Spot::Kind::long_filter) {
        node.has_long = true;
        Long one{text_hash(filter), std::string(filter), {}};
        return long_filters_[spot.node].emplace_back(std::move(one)).list;
    }
    const Id list = lists_.take();
    (spot.kind == Spot::Kind::here ? node.here : node.below) = list;
    return lists_[list];
}

SubscriberList* FilterTable::list_of(std::string_view filter) {
    if (mqtt::has_wildcard(filter)) {
        return list_at(spot(filter), filter);
    }
    const Id id = find_exact(filter, text_hash(filter));
    return id == kNone ? nullptr : &exacts_[id].list;
}

/// The list of `filter` is there and empty.
void FilterTable::drop_list(std::string_view filter) {
    if (!mqtt::has_wildcard(filter)) {
        drop_exact(filter);
        return;
    }
    const Spot at = spot(filter);
    Node& node = nodes_[at.node];
    if (at.kind == Spot::Kind::long_filter) {
        drop_long(at.node, filter);
    } else {
        Id& list = at.kind == Spot::Kind::here ? node.here : node.below;
        lists_.give_back(std::exchange(list, kNone));
    }
    drop_empty_nodes(at.node);
}

void FilterTable::drop_long(Id node, std::string_view filter) {
    const auto longs = long_filters_.find(node);
    std::erase_if(longs->second, [hash = text_hash(filter), filter](const Long& one) {
        return one.hash == hash && one.filter == filter;
    });
    if (longs->second.empty()) {
        long_filters_.erase(longs);
        nodes_[node].has_long = false;
    }
}

void FilterTable::drop_empty_nodes(Id id) {
    while (id != kNone) {
        const Node& node = nodes_[id];
        if (node.children != 0 || node.here != kNone || node.below != kNone || node.has_long) {
            return;
        }
        const Id parent = node.parent;
        if (parent == kNone) {
            root_ = kNone;
        } else {
            Node& above = nodes_[parent];
            --above.children;
            if (above.plus == id) {
                above.plus = kNone;
            } else {
                edges_.erase(node.hash, id);
            }
        }
        nodes_.give_back(id);
        id = parent;
    }
}

// --- matching

/// One look-up: the nodes reached so far, level by level.
class FilterTable::Matching {
  public:
    Matching(const FilterTable& table, std::string_view topic, std::vector<Subscriber>& out)
        : table_(table), topic_(topic), out_(out) {}

    void run() {
        if (table_.root_ == kNone) {
            return;
        }
        nodes_.push_back(table_.root_);
        Steps steps(topic_, table_.first_);
        for (std::size_t taken = 0;; ++taken) {
            // [MQTT-4.7.2-1] A wildcard as the first level matches no name that begins with $.
            step(steps.now(), taken == 0 && topic_.starts_with('$'));
            if (nodes_.empty() || steps.last()) {
                break;
            }
            steps.advance();
        }
        for (const Id id : nodes_) {
            add(table_.nodes_[id].here);
            add(table_.nodes_[id].below);  // "a/#" matches "a"
        }
    }

  private:
    /// One level down; '#' and long filters of the nodes that are left match here.
    void step(std::string_view level, bool literal_only) {
        const std::uint64_t hash = level_hash_of(level);
        next_.clear();
        for (const Id id : nodes_) {
            const Node& node = table_.nodes_[id];
            if (!literal_only) {
                add(node.below);
                push(node.plus);
            }
            if (node.has_long) {
                add_long(id);
            }
            if (node.children > (node.plus == kNone ? 0U : 1U)) {
                push(table_.child(id, level, hash));
            }
        }
        nodes_.swap(next_);
    }
    void push(Id id) {
        if (id != kNone) {
            next_.push_back(id);
        }
    }
    void add(Id list) {
        if (list != kNone) {
            append(table_.lists_[list], out_);
        }
    }
    void add_long(Id id) {
        for (const Long& one : table_.long_filters_.find(id)->second) {
            if (mqtt::matches(one.filter, topic_)) {
                append(one.list, out_);
            }
        }
    }

    const FilterTable& table_;
    std::string_view topic_;
    std::vector<Subscriber>& out_;
    boost::container::small_vector<Id, 16> nodes_;
    boost::container::small_vector<Id, 16> next_;
};

void FilterTable::match(std::string_view topic, std::vector<Subscriber>& out) const {
    if (exact_index_.size() != 0) {
        if (const Id id = find_exact(topic, text_hash(topic)); id != kNone) {
            append(exacts_[id].list, out);
        }
    }
    Matching(*this, topic, out).run();
}

}  // namespace iotsky::broker
