#include "acl/filter_shape.hpp"

#include <algorithm>

namespace iotsky::acl {
namespace {

/// Beyond this many steps an overlap is assumed instead of searched: a 64 KiB filter against a
/// 16 KiB pattern must not hold a thread up.
constexpr std::size_t kStepsMax = 4'000'000;

using Positions = std::vector<bool>;

void skip_runs(const Tokens& pattern, Positions& at) {
    for (std::size_t j = 0; j < pattern.size(); ++j) {
        if (at[j] && pattern[j] == kAnyRun) {
            at[j + 1] = true;
        }
    }
}

bool is_wild(Token token) noexcept {
    return token > 255;
}

/// Where the pattern can be after a token of the shape, when each text of that token must be taken.
Positions take_all(const Tokens& pattern, const Positions& at, Token token) {
    Positions next(at.size(), false);
    for (std::size_t j = 0; j < pattern.size(); ++j) {
        if (!at[j]) {
            continue;
        }
        if (pattern[j] == kAnyRun) {
            next[j] = true;
        } else if (!is_wild(token) &&
                   (pattern[j] == token || (pattern[j] == kAnyOne && token < 0x80))) {
            next[j + 1] = true;
        }
    }
    skip_runs(pattern, next);
    return next;
}

bool covers_list(const Tokens& pattern, const Tokens& shape) {
    if (pattern.size() * (shape.size() + 1) > kStepsMax) {
        return false;
    }
    Positions at(pattern.size() + 1, false);
    at[0] = true;
    skip_runs(pattern, at);
    for (const Token token : shape) {
        at = take_all(pattern, at, token);
    }
    return at[pattern.size()];
}

/// Where the pattern can be when some text of a wildcard of the shape is taken: none or more bytes.
void take_some_wild(const Tokens& pattern, Positions& at, Token token) {
    for (std::size_t j = 0; j < pattern.size(); ++j) {
        const bool stops = token == kLevel && pattern[j] == '/';
        if (at[j] && !stops) {
            at[j + 1] = true;
        }
    }
}

/// The same for one byte of the shape.
Positions take_some_byte(const Tokens& pattern, const Positions& at, Token token) {
    Positions next(at.size(), false);
    for (std::size_t j = 0; j < pattern.size(); ++j) {
        if (!at[j]) {
            continue;
        }
        if (pattern[j] == kAnyRun) {
            next[j] = true;
        } else if (pattern[j] == kAnyOne) {
            next[j + 1] = true;
            next[j] = next[j] || token >= 0x80;  // "?" takes all bytes of a character
        } else if (pattern[j] == token) {
            next[j + 1] = true;
        }
    }
    skip_runs(pattern, next);
    return next;
}

bool overlaps_list(const Tokens& pattern, const Tokens& shape) {
    if (pattern.size() * (shape.size() + 1) > kStepsMax) {
        return true;
    }
    Positions at(pattern.size() + 1, false);
    at[0] = true;
    skip_runs(pattern, at);
    for (const Token token : shape) {
        if (is_wild(token)) {
            take_some_wild(pattern, at, token);
            skip_runs(pattern, at);
        } else {
            at = take_some_byte(pattern, at, token);
        }
    }
    return at[pattern.size()];
}

}  // namespace

std::vector<Tokens> shapes_of(std::string_view topic_filter) {
    const bool has_rest = topic_filter == "#" || topic_filter.ends_with("/#");
    if (has_rest) {
        topic_filter.remove_suffix(1);
    }
    Tokens shape;
    bool level_starts = true;
    for (const char c : topic_filter) {
        shape.push_back(c == '+' && level_starts ? kLevel : static_cast<unsigned char>(c));
        level_starts = c == '/';
    }
    std::vector<Tokens> shapes;
    if (has_rest) {
        if (shape.size() > 1) {  // "a/#" matches "a"; "/#" has no parent that could be a topic
            shapes.emplace_back(shape.begin(), shape.end() - 1);
        }
        shape.push_back(kRest);
    }
    shapes.push_back(std::move(shape));
    return shapes;
}

bool covers(const Glob& pattern, const Tokens& shape) {
    const auto lists = pattern.alternatives();
    return std::any_of(lists.begin(), lists.end(),
                       [&](const Tokens& list) { return covers_list(list, shape); });
}

bool may_overlap(const Glob& pattern, const Tokens& shape) {
    const auto lists = pattern.alternatives();
    return std::any_of(lists.begin(), lists.end(),
                       [&](const Tokens& list) { return overlaps_list(list, shape); });
}

}  // namespace iotsky::acl
