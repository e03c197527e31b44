#include "acl/json_reader.hpp"

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace iotsky::acl {
namespace {

constexpr int kDepthMax = 16;

void append_utf8(std::string& out, std::uint32_t code) {
    const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xc0 | (code >> 6));
        put(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        put(0xe0 | (code >> 12));
        put(0x80 | ((code >> 6) & 0x3f));
        put(0x80 | (code & 0x3f));
    } else {
        put(0xf0 | (code >> 18));
        put(0x80 | ((code >> 12) & 0x3f));
        put(0x80 | ((code >> 6) & 0x3f));
        put(0x80 | (code & 0x3f));
    }
}

std::optional<char> simple_escape(char c) noexcept {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    const std::size_t at = kNames.find(c);
    return at == kNames.npos ? std::nullopt : std::optional(kValues[at]);
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Recursive descent. The functions return false after they have set `fault`.
class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}

    std::variant<JsonNode, JsonFault> read() {
        if (text_.starts_with("\xef\xbb\xbf")) {
            return JsonFault{0, "starts with a byte order mark; save it as UTF-8 without BOM"};
        }
        JsonNode node;
        if (!value(node, 0)) {
            return fault_;
        }
        skip_space();
        if (at_ != text_.size()) {
            return JsonFault{at_, "something follows the end of the document"};
        }
        return node;
    }

  private:
    bool fail(std::size_t offset, std::string message) {
        fault_ = {offset, std::move(message)};
        return false;
    }

    [[nodiscard]] char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }

    void skip_space() noexcept {
        at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    }

    bool value(JsonNode& node, int depth) {
        skip_space();
        node.offset = at_;
        if (depth > kDepthMax) {
            return fail(at_, "nested too deeply");
        }
        switch (peek()) {
            case '{':
                return object(node, depth);
            case '[':
                return array(node, depth);
            case '"':
                node.kind = JsonNode::Kind::string;
                return string(node.text);
            default:
                return word(node) || number(node);
        }
    }

    bool word(JsonNode& node) {
        for (const std::string_view known : {"true", "false", "null"}) {
            if (text_.substr(at_).starts_with(known)) {
                node.kind = known == "null" ? JsonNode::Kind::null : JsonNode::Kind::boolean;
                node.text = known;
                at_ += known.size();
                return true;
            }
        }
        return false;
    }

    bool digits() {
        const std::size_t start = at_;
        while (is_digit(peek())) {
            ++at_;
        }
        return at_ != start || fail(at_, "a digit is missing here");
    }

    bool number(JsonNode& node) {
        const std::size_t start = at_;
        if (peek() != '-' && !is_digit(peek())) {
            return fail(at_, at_ == text_.size() ? "the document ends too early"
                                                 : "a value is missing here");
        }
        if (peek() == '-') {
            ++at_;
        }
        if (peek() == '0') {
            ++at_;
        } else if (!digits()) {
            return false;
        }
        if (peek() == '.' && (++at_, !digits())) {
            return false;
        }
        if (peek() == 'e' || peek() == 'E') {
            ++at_;
            if (peek() == '+' || peek() == '-') {
                ++at_;
            }
            if (!digits()) {
                return false;
            }
        }
        node.kind = JsonNode::Kind::number;
        node.text = text_.substr(start, at_ - start);
        return true;
    }

    /// Whether the list goes on behind a ',' or ends; `done` tells which.
    bool next_or_end(char end, bool& done) {
        skip_space();
        if (peek() == end) {
            ++at_;
            done = true;
            return true;
        }
        if (peek() != ',') {
            return fail(at_, at_ == text_.size()
                                 ? "the document ends too early"
                                 : std::string("\",\" or \"") + end + "\" is missing here");
        }
        const std::size_t comma = at_++;
        skip_space();
        done = false;
        return peek() != end || fail(comma, std::string("a \",\" before \"") + end + "\"");
    }

    bool array(JsonNode& node, int depth) {
        node.kind = JsonNode::Kind::array;
        ++at_;
        skip_space();
        bool done = peek() == ']';
        if (done) {
            ++at_;
        }
        while (!done) {
            if (!value(node.children.emplace_back(), depth + 1) || !next_or_end(']', done)) {
                return false;
            }
        }
        return true;
    }

    bool object(JsonNode& node, int depth) {
        node.kind = JsonNode::Kind::object;
        ++at_;
        skip_space();
        bool done = peek() == '}';
        if (done) {
            ++at_;
        }
        while (!done) {
            if (!member(node, depth) || !next_or_end('}', done)) {
                return false;
            }
        }
        return true;
    }

    bool member(JsonNode& node, int depth) {
        skip_space();
        JsonNode child;
        child.name_offset = at_;
        if (peek() != '"') {
            return fail(at_, "a name in quotes is missing here");
        }
        if (!string(child.name)) {
            return false;
        }
        if (node.member(child.name) != nullptr) {
            return fail(child.name_offset, "\"" + escape(child.name, 64) + "\" is there twice");
        }
        skip_space();
        if (peek() != ':') {
            return fail(at_, "\":\" is missing here");
        }
        ++at_;
        if (!value(child, depth + 1)) {
            return false;
        }
        node.children.push_back(std::move(child));
        return true;
    }

    bool string(std::string& out) {
        ++at_;
        while (at_ < text_.size() && text_[at_] != '"') {
            if (static_cast<unsigned char>(text_[at_]) < 0x20) {
                return fail(at_, "a line break or control character inside a text");
            }
            if (text_[at_] == '\\') {
                if (!escaped(out)) {
                    return false;
                }
                continue;
            }
            const std::size_t length = utf8_length(text_.substr(at_));
            if (length == 0) {
                return fail(at_, "not UTF-8");
            }
            out.append(text_.substr(at_, length));
            at_ += length;
        }
        if (at_ >= text_.size()) {
            return fail(text_.size(), "the closing \" is missing");
        }
        ++at_;
        return true;
    }

    bool escaped(std::string& out) {
        const std::size_t start = at_++;
        if (const auto simple = simple_escape(peek())) {
            out.push_back(*simple);
            ++at_;
            return true;
        }
        std::uint32_t code = 0;
        if (!four_digits(start, code)) {
            return false;
        }
        if (code >= 0xd800 && code < 0xdc00 && peek() == '\\') {
            std::uint32_t low = 0;
            ++at_;
            if (!four_digits(start, low)) {
                return false;
            }
            if (low < 0xdc00 || low > 0xdfff) {
                return fail(start, "half a surrogate pair");
            }
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        if (code >= 0xd800 && code <= 0xdfff) {
            return fail(start, "half a surrogate pair");
        }
        append_utf8(out, code);
        return true;
    }

    bool four_digits(std::size_t start, std::uint32_t& code) {
        if (peek() != 'u') {
            return fail(start, "unknown escape");
        }
        ++at_;
        for (int i = 0; i < 4; ++i, ++at_) {
            constexpr std::string_view kDigits = "0123456789abcdef0123456789ABCDEF";
            const std::size_t digit = peek() == '\0' ? kDigits.npos : kDigits.find(peek());
            if (digit == kDigits.npos) {
                return fail(start, "\\u wants four hexadecimal digits");
            }
            code = code * 16 + static_cast<std::uint32_t>(digit % 16);
        }
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    JsonFault fault_;
};

}  // namespace

const JsonNode* JsonNode::member(std::string_view member_name) const noexcept {
    for (const JsonNode& child : children) {
        if (child.name == member_name) {
            return &child;
        }
    }
    return nullptr;
}

std::variant<JsonNode, JsonFault> read_json(std::string_view text) {
    return Reader(text).read();
}

std::string describe_position(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t newline = before.rfind('\n');
    const std::string_view row = newline == before.npos ? before : before.substr(newline + 1);
    const auto column = 1 + std::count_if(row.begin(), row.end(), [](char c) {
                            return (static_cast<unsigned char>(c) & 0xc0U) != 0x80;
                        });
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

}  // namespace iotsky::acl
