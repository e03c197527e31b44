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

Shape shape_of(Tokens tokens) {
    Shape shape{std::move(tokens), {}, true};
    for (const Token token : shape.tokens) {
        if (is_wild(token)) {
            shape.literal = false;
            break;
        }
        shape.head.push_back(static_cast<char>(token));
    }
    return shape;
}

/// Whether the two agree as far as both go.
bool begin_alike(std::string_view a, std::string_view b) noexcept {
    const std::size_t n = std::min(a.size(), b.size());
    return a.substr(0, n) == b.substr(0, n);
}

bool is_below(std::string_view text, std::string_view root) noexcept {
    return text.size() > root.size() && text.starts_with(root) && text[root.size()] == '/';
}

}  // namespace

std::vector<Shape> shapes_of(std::string_view topic_filter) {
    const bool has_rest = topic_filter == "#" || topic_filter.ends_with("/#");
    if (has_rest) {
        topic_filter.remove_suffix(1);
    }
    Tokens tokens;
    bool level_starts = true;
    for (const char c : topic_filter) {
        tokens.push_back(c == '+' && level_starts ? kLevel : static_cast<unsigned char>(c));
        level_starts = c == '/';
    }
    std::vector<Shape> shapes;
    if (has_rest) {
        if (tokens.size() > 1) {  // "a/#" matches "a"; "/#" has no parent that could be a topic
            shapes.push_back(shape_of(Tokens(tokens.begin(), tokens.end() - 1)));
        }
        tokens.push_back(kRest);
    }
    shapes.push_back(shape_of(std::move(tokens)));
    return shapes;
}

bool covers(const Glob& pattern, const Shape& shape) {
    if (shape.literal) {
        return pattern.matches(shape.head);
    }
    // The common kinds are decided by the bytes in front of the first wildcard.
    if (pattern.is_exact()) {
        return false;
    }
    if (pattern.is_prefix()) {
        return shape.head.starts_with(pattern.head());
    }
    if (pattern.is_tree()) {
        return is_below(shape.head, pattern.head());
    }
    return begin_alike(pattern.head(), shape.head) &&
           covers_list(pattern.alternatives().front(), shape.tokens);
}

bool may_overlap(const Glob& pattern, const Shape& shape) {
    if (shape.literal) {
        return pattern.matches(shape.head);
    }
    if (!begin_alike(pattern.head(), shape.head)) {
        return false;
    }
    const auto lists = pattern.alternatives();
    return std::any_of(lists.begin(), lists.end(),
                       [&](const Tokens& list) { return overlaps_list(list, shape.tokens); });
}

}  // namespace iotsky::acl
