#include "tests/wire/packet_macro.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "broker/mqtt/encode.hpp"
#include "tests/support/mqtt_text.hpp"

namespace iotsky::wire {
namespace {

using mqtt::PacketType;
using test::from_hex;
using Body = std::vector<std::byte>;

[[noreturn]] void refuse(std::string message) {
    throw std::invalid_argument(std::move(message));
}

unsigned to_number(std::string_view text) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        refuse("not a number: " + std::string(text));
    }
    return value;
}

/// The `key=value` of a macro, in order. A key that no builder asks for is a typing mistake.
class Args {
  public:
    Args(std::string_view text, std::string_view unique) : unique_(unique) {
        while (!text.empty()) {
            const std::string_view part = text.substr(0, text.find(','));
            text.remove_prefix(std::min(text.size(), part.size() + 1));
            const std::size_t equals = part.find('=');
            if (equals == std::string_view::npos) {
                refuse("key=value expected: " + std::string(part));
            }
            args_.push_back({part.substr(0, equals), part.substr(equals + 1)});
        }
    }

    [[nodiscard]] std::vector<std::string_view> all(std::string_view key) {
        std::vector<std::string_view> values;
        for (Arg& arg : args_) {
            if (arg.key == key) {
                arg.used = true;
                values.push_back(arg.value);
            }
        }
        return values;
    }
    [[nodiscard]] std::optional<std::string_view> one(std::string_view key) {
        const auto values = all(key);
        if (values.size() > 1) {
            refuse("given twice: " + std::string(key));
        }
        return values.empty() ? std::nullopt : std::optional(values.front());
    }
    [[nodiscard]] unsigned number(std::string_view key, unsigned otherwise) {
        const auto value = one(key);
        return value ? to_number(*value) : otherwise;
    }
    [[nodiscard]] std::optional<std::string> text(std::string_view key) {
        const auto value = one(key);
        return value ? std::optional(expand(*value, unique_)) : std::nullopt;
    }
    [[nodiscard]] std::vector<std::string> texts(std::string_view key) {
        std::vector<std::string> out;
        for (const std::string_view value : all(key)) {
            out.push_back(expand(value, unique_));
        }
        return out;
    }
    [[nodiscard]] Body hex(std::string_view key) { return from_hex(one(key).value_or("")); }

    void finish() const {
        for (const Arg& arg : args_) {
            if (!arg.used) {
                refuse("unknown key: " + std::string(arg.key));
            }
        }
    }

  private:
    struct Arg {
        std::string_view key;
        std::string_view value;
        bool used = false;
    };
    std::vector<Arg> args_;
    std::string_view unique_;
};

void append(Body& out, mqtt::Bytes bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_u16(Body& out, std::size_t value) {
    std::array<std::byte, 2> bytes{};
    mqtt::store_u16(bytes, static_cast<std::uint16_t>(value));
    append(out, bytes);
}

void append_text(Body& out, std::string_view text) {
    append_u16(out, text.size());
    append(out, mqtt::as_bytes(text));
}

/// What a builder says about its packet: the rest is common to all.
struct Draft {
    unsigned flags = 0;
    Body body;
    std::optional<std::size_t> id_at;  ///< In the body, if the identifier is left open.
    std::string id_variable;
};

/// Appends the identifier, or two zero bytes whose value is settled when the step is run.
void append_id(Draft& draft, Args& args) {
    const auto id = args.one("id");
    if (!id) {
        refuse("id=... is missing");
    }
    if (*id == "?" || id->starts_with('$')) {
        draft.id_at = draft.body.size();
        draft.id_variable = id->substr(1);
        append_u16(draft.body, 0);
    } else {
        append_u16(draft.body, to_number(*id));
    }
}

unsigned connect_flags(Args& args, bool will, bool user, bool password) {
    const unsigned flags =
        (args.number("clean", 1) << 1U) | (will ? 4U : 0U) | (args.number("will_qos", 0) << 3U) |
        (args.number("will_retain", 0) << 5U) | (password ? 0x40U : 0U) | (user ? 0x80U : 0U);
    return args.number("connect_flags", flags);
}

Draft connect(Args& args) {
    Draft draft;
    const auto will = args.text("will");
    const auto message = args.text("message");
    const auto user = args.text("user");
    const auto password = args.text("password");
    append_text(draft.body, args.text("protocol").value_or("MQTT"));
    draft.body.push_back(static_cast<std::byte>(args.number("level", 4)));
    draft.body.push_back(static_cast<std::byte>(
        connect_flags(args, will.has_value(), user.has_value(), password.has_value())));
    append_u16(draft.body, args.number("keep_alive", 0));
    append_text(draft.body, args.text("id").value_or(""));
    if (will) {
        append_text(draft.body, *will);
        append_text(draft.body, message.value_or(""));
    }
    for (const auto& field : {user, password}) {
        if (field) {
            append_text(draft.body, *field);
        }
    }
    return draft;
}

Draft connack(Args& args) {
    Draft draft;
    draft.body = {static_cast<std::byte>(args.number("present", 0)),
                  static_cast<std::byte>(args.number("code", 0))};
    return draft;
}

Draft publish(Args& args) {
    Draft draft;
    const unsigned qos = args.number("qos", 0);
    draft.flags = (args.number("dup", 0) << 3U) | (qos << 1U) | args.number("retain", 0);
    append_text(draft.body, args.text("topic").value_or(""));
    if (qos != 0) {
        append_id(draft, args);
    }
    append(draft.body, mqtt::as_bytes(args.text("payload").value_or("")));
    return draft;
}

Draft ack(Args& args) {
    Draft draft;
    append_id(draft, args);
    return draft;
}

Draft pubrel(Args& args) {
    Draft draft = ack(args);
    draft.flags = 2;
    return draft;
}

Draft subscribe(Args& args) {
    Draft draft = pubrel(args);
    const auto filters = args.texts("filter");
    const auto levels = args.all("qos");
    if (levels.size() > filters.size()) {
        refuse("more qos than filter");
    }
    for (std::size_t i = 0; i < filters.size(); ++i) {
        append_text(draft.body, filters[i]);
        draft.body.push_back(static_cast<std::byte>(i < levels.size() ? to_number(levels[i]) : 0U));
    }
    return draft;
}

Draft suback(Args& args) {
    Draft draft = ack(args);
    append(draft.body, args.hex("codes"));
    return draft;
}

Draft unsubscribe(Args& args) {
    Draft draft = pubrel(args);
    for (const std::string& filter : args.texts("filter")) {
        append_text(draft.body, filter);
    }
    return draft;
}

Draft empty(Args&) {
    return {};
}

struct Builder {
    std::string_view name;
    PacketType type;
    Draft (*build)(Args&);
};

constexpr std::array<Builder, 14> kBuilders{{
    {"connect", PacketType::connect, connect},
    {"connack", PacketType::connack, connack},
    {"publish", PacketType::publish, publish},
    {"puback", PacketType::puback, ack},
    {"pubrec", PacketType::pubrec, ack},
    {"pubrel", PacketType::pubrel, pubrel},
    {"pubcomp", PacketType::pubcomp, ack},
    {"subscribe", PacketType::subscribe, subscribe},
    {"suback", PacketType::suback, suback},
    {"unsubscribe", PacketType::unsubscribe, unsubscribe},
    {"unsuback", PacketType::unsuback, ack},
    {"pingreq", PacketType::pingreq, empty},
    {"pingresp", PacketType::pingresp, empty},
    {"disconnect", PacketType::disconnect, empty},
}};

/// The keys that every packet has, to make it malformed: flags, cut, extra.
Packet assemble(PacketType type, Draft draft, Args& args) {
    const std::size_t cut = args.number("cut", 0);
    if (cut > draft.body.size()) {
        refuse("cut is longer than the packet");
    }
    draft.body.erase(draft.body.end() - static_cast<std::ptrdiff_t>(cut), draft.body.end());
    append(draft.body, args.hex("extra"));
    Packet packet;
    packet.bytes.push_back(static_cast<std::byte>((static_cast<unsigned>(type) << 4U) |
                                                  args.number("flags", draft.flags)));
    std::array<std::byte, 4> length{};
    const std::size_t length_bytes =
        mqtt::encode_remaining_length(length, static_cast<std::uint32_t>(draft.body.size()));
    append(packet.bytes, mqtt::Bytes(length).first(length_bytes));
    if (draft.id_at) {
        packet.id_offset = packet.bytes.size() + *draft.id_at;
        packet.id_variable = draft.id_variable;
    }
    append(packet.bytes, draft.body);
    return packet;
}

Packet parse_macro(std::string_view word, std::string_view unique) {
    const std::size_t open = word.find('(');
    const std::string_view name = word.substr(0, open);
    std::string_view inside;
    if (open != std::string_view::npos) {
        if (!word.ends_with(')')) {
            refuse("')' is missing: " + std::string(word));
        }
        inside = word.substr(open + 1, word.size() - open - 2);
    }
    const auto builder = std::find_if(kBuilders.begin(), kBuilders.end(),
                                      [name](const Builder& b) { return b.name == name; });
    if (builder == kBuilders.end()) {
        refuse("neither hex nor a packet: " + std::string(word));
    }
    Args args(inside, unique);
    Packet packet = assemble(builder->type, builder->build(args), args);
    args.finish();
    return packet;
}

bool is_hex(std::string_view word) {
    return word.find_first_not_of("0123456789ABCDEF") == std::string_view::npos;
}

/// Takes the next word: up to a space that is not inside parentheses.
std::string_view take_word(std::string_view& text) {
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(' ')));
    bool inside = false;
    std::size_t length = 0;
    for (; length < text.size() && (inside || text[length] != ' '); ++length) {
        inside = text[length] == '(' || (inside && text[length] != ')');
    }
    const std::string_view word = text.substr(0, length);
    text.remove_prefix(length);
    return word;
}

char parse_byte(std::string_view& text) {
    if (text.size() < 4 || text[1] != 'x') {
        refuse("\\xNN expected");
    }
    const char byte = static_cast<char>(from_hex(text.substr(2, 2)).front());
    text.remove_prefix(4);
    return byte;
}

std::string parse_repeat(std::string_view& text, std::string_view unique) {
    const std::size_t close = text.find('}');
    const std::size_t star = text.substr(0, close).rfind('*');
    if (close == std::string_view::npos || star == std::string_view::npos) {
        refuse("{text*N} expected");
    }
    const std::string piece = expand(text.substr(1, star - 1), unique);
    const unsigned times = to_number(text.substr(star + 1, close - star - 1));
    text.remove_prefix(close + 1);
    std::string out;
    for (unsigned i = 0; i < times; ++i) {
        out += piece;
    }
    return out;
}

}  // namespace

std::string expand(std::string_view text, std::string_view unique) {
    std::string out;
    while (!text.empty()) {
        switch (text.front()) {
            case '%':
                out += unique;
                text.remove_prefix(1);
                break;
            case '\\':
                out += parse_byte(text);
                break;
            case '{':
                out += parse_repeat(text, unique);
                break;
            default:
                out += text.front();
                text.remove_prefix(1);
        }
    }
    return out;
}

std::vector<Packet> parse_packets(std::string_view words, std::string_view unique) {
    std::vector<Packet> packets;
    for (;;) {
        const std::string_view word = take_word(words);
        if (word.empty()) {
            return packets;
        }
        packets.push_back(is_hex(word) ? Packet{from_hex(word), {}, {}, {}}
                                       : parse_macro(word, unique));
        packets.back().word = word;
    }
}

}  // namespace iotsky::wire
