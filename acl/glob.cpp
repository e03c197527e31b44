#include "acl/glob.hpp"

#include <algorithm>

namespace iotsky::acl {
namespace {

/// Bytes that "?" takes at the front of `text`: one character of UTF-8, 0 where none starts.
std::size_t one_character(std::string_view text) noexcept {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (at(0) < 0x80) {
        return 1;
    }
    if (at(0) < 0xc0) {
        return 0;  // the inside of a character; only a run may start there
    }
    std::size_t length = 1;
    while (length < text.size() && (at(length) & 0xc0U) == 0x80) {
        ++length;
    }
    return length;
}

/// Bytes that the token takes at the front of a text that is not empty; 0 if it does not match.
std::size_t step(Token token, std::string_view text) noexcept {
    if (token == kAnyOne) {
        return one_character(text);
    }
    return token == static_cast<unsigned char>(text[0]) ? 1 : 0;
}

/// Where the piece of the pattern that starts at `p` may match next, npos if nowhere.
std::size_t next_start(const Tokens& pattern, std::size_t p, std::string_view text,
                       std::size_t from) noexcept {
    return pattern[p] < 256 ? text.find(static_cast<char>(pattern[p]), from) : from;
}

/// Greedy: only the last run is ever widened. That suffices, because a piece between two runs that
/// matches earlier also ends earlier.
bool walk(const Tokens& pattern, std::string_view text) noexcept {
    constexpr std::size_t kNone = std::string_view::npos;
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t after_run = kNone;
    std::size_t resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == kAnyRun) {
            after_run = ++p;
            resume = t;
            if (p == pattern.size()) {
                return true;
            }
            continue;
        }
        const std::size_t taken = p < pattern.size() ? step(pattern[p], text.substr(t)) : 0;
        if (taken != 0) {
            ++p;
            t += taken;
            continue;
        }
        if (after_run == kNone) {
            return false;
        }
        p = after_run;
        resume = next_start(pattern, p, text, resume + 1);
        t = resume;  // npos ends the loop: no place left
    }
    return t == text.size() &&
           std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(),
                       [](Token token) { return token == kAnyRun; });
}

char to_char(Token token) noexcept {
    return token == kAnyRun ? '*' : token == kAnyOne ? '?' : static_cast<char>(token);
}

}  // namespace

void append_literal(Tokens& tokens, std::string_view text) {
    for (const char c : text) {
        tokens.push_back(static_cast<unsigned char>(c));
    }
}

std::vector<Tokens> behind_prefix(const Tokens& pattern, std::string_view prefix) {
    // reached[i]: the prefix so far can be matched by the first i tokens.
    std::vector<bool> reached(pattern.size() + 1, false);
    const auto skip_runs = [&] {
        for (std::size_t i = 0; i < pattern.size(); ++i) {
            if (reached[i] && pattern[i] == kAnyRun) {
                reached[i + 1] = true;
            }
        }
    };
    reached[0] = true;
    skip_runs();
    for (const char c : prefix) {
        std::vector<bool> next(pattern.size() + 1, false);
        for (std::size_t i = 0; i < pattern.size(); ++i) {
            if (!reached[i]) {
                continue;
            }
            if (pattern[i] == kAnyRun) {
                next[i] = true;
            } else if (pattern[i] == kAnyOne || pattern[i] == static_cast<unsigned char>(c)) {
                next[i + 1] = true;
            }
        }
        reached = std::move(next);
        skip_runs();
    }
    std::vector<Tokens> rests;
    for (std::size_t i = 0; i <= pattern.size(); ++i) {
        // Behind a run that was reached the run itself says more than what follows it.
        if (reached[i] && (i == 0 || pattern[i - 1] != kAnyRun || !reached[i - 1])) {
            rests.emplace_back(pattern.begin() + static_cast<std::ptrdiff_t>(i), pattern.end());
        }
    }
    return rests;
}

Glob::Glob(const Tokens& tokens) : kind_(Kind::exact) {
    const auto sign = std::find_if(tokens.begin(), tokens.end(), [](Token t) { return t > 255; });
    for (auto it = tokens.begin(); it != sign; ++it) {
        head_.push_back(static_cast<char>(*it));
    }
    if (sign == tokens.end()) {
        return;
    }
    const bool runs_only = std::all_of(sign, tokens.end(), [](Token t) { return t == kAnyRun; });
    kind_ = runs_only ? Kind::prefix : Kind::general;
    if (!runs_only) {
        rest_.assign(sign, tokens.end());
    }
}

Glob Glob::tree(std::string root) {
    return Glob(Kind::tree, std::move(root));
}

bool Glob::matches(std::string_view text) const noexcept {
    switch (kind_) {
        case Kind::exact:
            return text == head_;
        case Kind::prefix:
            return text.starts_with(head_);
        case Kind::tree:
            return text.starts_with(head_) &&
                   (text.size() == head_.size() || text[head_.size()] == '/');
        case Kind::general:
            return text.starts_with(head_) && walk(rest_, text.substr(head_.size()));
    }
    return false;
}

std::string Glob::text() const {
    std::string text = head_;
    if (kind_ == Kind::tree) {
        text += "/#";
    } else if (kind_ == Kind::prefix) {
        text += '*';
    }
    std::transform(rest_.begin(), rest_.end(), std::back_inserter(text), to_char);
    return text;
}

std::vector<Tokens> Glob::alternatives() const {
    Tokens tokens;
    append_literal(tokens, head_);
    if (kind_ == Kind::prefix) {
        tokens.push_back(kAnyRun);
    }
    tokens.insert(tokens.end(), rest_.begin(), rest_.end());
    std::vector<Tokens> all{tokens};
    if (kind_ == Kind::tree) {
        tokens.push_back('/');
        tokens.push_back(kAnyRun);
        all.push_back(std::move(tokens));
    }
    return all;
}

}  // namespace iotsky::acl
