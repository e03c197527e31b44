#include "apps/cli/hidden_line.hpp"

#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <iostream>

namespace iotsky::apps::cli {
namespace {

constexpr std::array kEnding{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/// Of the one that is hidden now; a handler can have nothing else.
termios terminal_before;
std::array<struct sigaction, kEnding.size()> handlers_before;

void restore_handlers() {
    for (std::size_t i = 0; i < kEnding.size(); ++i) {
        ::sigaction(kEnding[i], &handlers_before[i], nullptr);
    }
}

/// Both calls may be made in a handler. The signal waits until it returns, and then does what it
/// does without us.
void show_and_go_on(int number) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before);
    restore_handlers();
    static_cast<void>(::raise(number));
}

/// While it lives the terminal does not show what is typed.
class Hidden {
  public:
    Hidden() : is_terminal_(::tcgetattr(STDIN_FILENO, &terminal_before) == 0) {
        if (!is_terminal_) {
            return;
        }
        struct sigaction show {};
        show.sa_handler = show_and_go_on;
        for (std::size_t i = 0; i < kEnding.size(); ++i) {
            ::sigaction(kEnding[i], &show, &handlers_before[i]);
        }
        termios silent = terminal_before;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    ~Hidden() {
        if (is_terminal_) {
            ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal_before);
            restore_handlers();
        }
    }
    Hidden(const Hidden&) = delete;
    Hidden& operator=(const Hidden&) = delete;
    [[nodiscard]] bool is_terminal() const noexcept { return is_terminal_; }

  private:
    bool is_terminal_;
};

}  // namespace

SecretString ask_hidden(Session& session, const std::string& question) {
    session.streams.err << question << ": " << std::flush;
    std::string line;
    const Hidden hidden;
    std::getline(session.streams.in, line);
    if (hidden.is_terminal()) {
        session.streams.err << "\n";
    }
    return SecretString::take(std::move(line));
}

}  // namespace iotsky::apps::cli
