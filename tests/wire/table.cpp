#include "tests/wire/table.hpp"

#include <algorithm>
#include <istream>
#include <set>
#include <stdexcept>

#include "base/text.hpp"
#include "tests/support/mqtt_text.hpp"

namespace iotsky::wire {
namespace {

std::string_view trim(std::string_view text) {
    const std::size_t begin = std::min(text.size(), text.find_first_not_of(' '));
    return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

[[noreturn]] void refuse(const std::string& message) {
    throw std::invalid_argument(message);
}

/// Which operation stands behind the client's name, and how many characters it takes.
struct Operator {
    std::string_view text;
    Op op;
};
constexpr Operator kOperators[] = {{">1 ", Op::send_bytewise}, {">", Op::send},
                                   {"<", Op::expect},          {"~", Op::expect_any},
                                   {"|", Op::expect_close},    {"=", Op::expect_open},
                                   {"! close", Op::close},     {"! reset", Op::reset}};

bool has_packets(Op op) {
    return op == Op::send || op == Op::send_bytewise || op == Op::expect || op == Op::expect_any;
}

/// The lines of one file, as they become conversations.
class Parser {
  public:
    Parser(const std::string& file, const std::string& unique) : file_(file), unique_(unique) {}

    void line(std::string_view text) {
        ++number_;
        text = trim(text);
        if (text.empty()) {
            open_ = false;
        } else if (text.starts_with("= ")) {
            begin(trim(text.substr(2)));
            open_ = true;
        } else if (!text.starts_with('#')) {
            open_ ? step(text) : row(text);
        }
    }

    [[nodiscard]] std::vector<Conversation> finish() {
        for (const Conversation& conversation : conversations_) {
            if (conversation.steps.empty()) {
                refuse("no steps: " + conversation.name);
            }
        }
        return std::move(conversations_);
    }
    [[nodiscard]] int number() const { return number_; }

  private:
    void begin(std::string_view name) {
        for (const Conversation& other : conversations_) {
            if (other.name == name) {
                refuse("the name is taken: " + std::string(name));
            }
        }
        conversations_.push_back({file_, number_, std::string(name), {}});
        captured_.clear();
    }

    /// `name | send | expect or - | close or open`, spoken by client A.
    void row(std::string_view text) {
        const auto columns = split(text, '|');
        if (columns.size() != 4) {
            refuse("four columns expected: name | send | expect | close or open");
        }
        begin(trim(columns[0]));
        add("A", Op::send, columns[1]);
        expected(trim(columns[2]));
        const std::string_view end = trim(columns[3]);
        if (end != "close" && end != "open") {
            refuse("the last column is close or open");
        }
        add("A", end == "close" ? Op::expect_close : Op::expect_open, "");
    }

    /// Packets in order; behind a `~` in any order; `-` for none.
    void expected(std::string_view words) {
        const std::size_t tilde = std::min(words.find("~ "), words.size());
        const std::string_view ordered = trim(words.substr(0, tilde));
        if (!ordered.empty() && ordered != "-") {
            add("A", Op::expect, ordered);
        }
        if (tilde < words.size()) {
            add("A", Op::expect_any, words.substr(tilde + 2));
        }
    }

    void step(std::string_view text) {
        const std::size_t end = text.find_first_of("<>~|=!");
        const std::string_view client = trim(text.substr(0, end));
        if (end == std::string_view::npos || client.empty() ||
            client.find_first_of(" ()") != std::string_view::npos) {
            refuse("a step begins with a client and one of > >1 < ~ | = !");
        }
        text.remove_prefix(end);
        for (const Operator& known : kOperators) {
            if (text.starts_with(known.text)) {
                add(client, known.op, text.substr(known.text.size()));
                return;
            }
        }
        refuse("! close or ! reset expected");
    }

    void add(std::string_view client, Op op, std::string_view words) {
        Conversation& conversation = conversations_.back();
        Step step{number_, std::string(client), op,
                  parse_packets(words, unique_ + std::to_string(conversation.line))};
        if (step.packets.empty() == has_packets(op)) {
            refuse(has_packets(op) ? "no packets" : "packets where none are expected");
        }
        const bool expected = op == Op::expect || op == Op::expect_any;
        for (const Packet& packet : step.packets) {
            check_identifier(packet, expected);
            if (expected) {
                (void)test::frame_of(packet.bytes);  // one word, one whole packet
            }
        }
        conversation.steps.push_back(std::move(step));
    }

    /// What is sent must name an identifier that was expected before.
    void check_identifier(const Packet& packet, bool expected) {
        if (!packet.id_offset) {
            return;
        }
        if (expected) {
            captured_.insert(packet.id_variable);
        } else if (packet.id_variable.empty() || !captured_.contains(packet.id_variable)) {
            refuse("this identifier was not received before: " + packet.word);
        }
    }

    const std::string& file_;
    const std::string& unique_;
    std::vector<Conversation> conversations_;
    std::set<std::string> captured_;
    int number_ = 0;
    bool open_ = false;
};

}  // namespace

std::vector<Conversation> parse_table(std::istream& in, const std::string& file,
                                      const std::string& unique) {
    Parser parser(file, unique);
    try {
        for (std::string text; std::getline(in, text);) {
            parser.line(text);
        }
        return parser.finish();
    } catch (const std::invalid_argument& error) {
        refuse(file + ":" + std::to_string(parser.number()) + ": " + error.what());
    }
}

}  // namespace iotsky::wire
