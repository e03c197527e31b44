#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace iotsky::acl {

/// One element of a pattern or of the shape of a Topic Filter: a byte (0 to 255) or one of the
/// signs below. Bytes and signs cannot be confused, whatever an attribute of a connection contains.
using Token = std::uint16_t;
inline constexpr Token kAnyRun = 256;  ///< "*": any run of bytes, "/" included, also none.
inline constexpr Token kAnyOne = 257;  ///< "?": one UTF-8 character.
inline constexpr Token kLevel = 258;   ///< Shapes only, "+": any run without "/".
inline constexpr Token kRest = 259;    ///< Shapes only, after "#": any run.
using Tokens = std::vector<Token>;

void append_literal(Tokens& tokens, std::string_view text);

/// What is left of `pattern` for the text behind `prefix`: `prefix + x` matches the pattern exactly
/// when x matches one of the results. "topic/a*" behind "topic/" leaves "a*"; "*/a" leaves "*/a"
/// and "a"; "client/*" leaves nothing.
[[nodiscard]] std::vector<Tokens> behind_prefix(const Tokens& pattern, std::string_view prefix);

/// A pattern made ready: the literal head is compared at once, only what follows it is walked.
/// Thread: immutable value.
class Glob {
  public:
    explicit Glob(const Tokens& tokens);
    /// `root` itself and all that is below it: "a/b" covers "a/b" and "a/b/c", not "a/bc".
    [[nodiscard]] static Glob tree(std::string root);

    /// Cost: linear for exact texts, prefixes and trees; else at most the length of the text times
    /// that of the longest piece between two "*". Does not allocate.
    [[nodiscard]] bool matches(std::string_view text) const noexcept;

    /// For people: "topic", "a/*", a tree as "a/b/#".
    [[nodiscard]] std::string text() const;
    /// The text before the first sign; for a tree its root.
    [[nodiscard]] const std::string& head() const noexcept { return head_; }
    [[nodiscard]] bool is_exact() const noexcept { return kind_ == Kind::exact; }
    [[nodiscard]] bool is_tree() const noexcept { return kind_ == Kind::tree; }
    [[nodiscard]] bool is_prefix() const noexcept { return kind_ == Kind::prefix; }
    /// The same pattern as token lists; a tree is the union of two.
    [[nodiscard]] std::vector<Tokens> alternatives() const;

  private:
    enum class Kind : std::uint8_t { exact, prefix, tree, general };
    Glob(Kind kind, std::string head) : head_(std::move(head)), kind_(kind) {}

    std::string head_;
    Tokens rest_;  // behind the head; general only
    Kind kind_;
};

}  // namespace iotsky::acl
