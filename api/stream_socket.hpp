#pragma once

// Internal to the server: this header has Asio in it.

#include <array>
#include <boost/asio.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "api/handed_stream.hpp"

namespace iotsky::api {

/// A HandedStream with the face of a socket, for Session and Beast: an AsyncReadStream and
/// AsyncWriteStream that waits on the descriptor and never runs a handler inside the call that
/// started it. A write is over when the kernel has all of it. Confined to control.
class StreamSocket {
  public:
    using executor_type = boost::asio::posix::stream_descriptor::executor_type;
    using Error = boost::system::error_code;
    enum ShutdownType { shutdown_send };
    static constexpr auto wait_read = boost::asio::posix::descriptor_base::wait_read;

    /// `descriptor` has the stream's.
    StreamSocket(std::unique_ptr<HandedStream> stream,
                 boost::asio::posix::stream_descriptor descriptor)
        : stream_(std::move(stream)), descriptor_(std::move(descriptor)) {}
    StreamSocket(StreamSocket&&) = default;
    StreamSocket& operator=(StreamSocket&&) = delete;
    ~StreamSocket() {
        if (descriptor_.is_open()) {
            descriptor_.release();  // the stream closes it
        }
    }

    [[nodiscard]] executor_type get_executor() { return descriptor_.get_executor(); }
    void cancel(Error& error) { descriptor_.cancel(error); }
    void shutdown(ShutdownType /*send*/, Error& /*error*/) {
        if (stream_) {
            stream_->end_output();
        }
    }
    void close(Error& /*error*/) {
        if (descriptor_.is_open()) {
            descriptor_.release();
        }
        stream_.reset();
    }

    /// Until read_some() may have something.
    template <typename Token>
    auto async_wait(boost::asio::posix::descriptor_base::wait_type what, Token&& token) {
        return boost::asio::async_compose<Token, void(Error)>(
            [this, what, first = true](auto& self, Error error = {}) mutable {
                if (!std::exchange(first, false)) {
                    self.complete(error);
                } else if (stream_->holds_input()) {
                    boost::asio::post(get_executor(), std::move(self));
                } else {
                    descriptor_.async_wait(what, std::move(self));
                }
            },
            token, descriptor_);
    }

    template <typename Buffers, typename Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        const boost::asio::mutable_buffer into = first_of<boost::asio::mutable_buffer>(buffers);
        return transfer(
            [this, into] {
                return stream_->read_some({static_cast<std::byte*>(into.data()), into.size()});
            },
            wait_read, std::forward<Token>(token));
    }

    template <typename Buffers, typename Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        const boost::asio::const_buffer from = gather(buffers);
        return transfer(
            [this, from, taken = std::size_t{0}]() mutable { return write_through(from, taken); },
            boost::asio::posix::descriptor_base::wait_write, std::forward<Token>(token));
    }

  private:
    using State = HandedStream::State;
    using Outcome = HandedStream::Outcome;

    /// The first buffer that is not empty.
    template <typename Buffer, typename Buffers>
    static Buffer first_of(const Buffers& buffers) {
        const auto end = boost::asio::buffer_sequence_end(buffers);
        for (auto at = boost::asio::buffer_sequence_begin(buffers); at != end; ++at) {
            if (const Buffer buffer{*at}; buffer.size() > 0) {
                return buffer;
            }
        }
        return {};
    }

    /// The first bytes in one piece: Beast hands an answer's head over field by field, and each
    /// piece costs a record and a segment.
    template <typename Buffers>
    boost::asio::const_buffer gather(const Buffers& buffers) {
        const auto first = first_of<boost::asio::const_buffer>(buffers);
        if (first.size() >= gathered_.size()) {
            return first;
        }
        return {gathered_.data(),
                boost::asio::buffer_copy(boost::asio::buffer(gathered_), buffers)};
    }

    /// Gives the bytes to the stream once, and is ok when none of them is left in it.
    [[nodiscard]] Outcome write_through(boost::asio::const_buffer from, std::size_t& taken) {
        if (taken == 0) {
            const Outcome put =
                stream_->write_some({static_cast<const std::byte*>(from.data()), from.size()});
            if (put.state != State::ok) {
                return put;
            }
            taken = put.bytes;
        }
        return {stream_->flush(), taken};
    }

    /// Tries, waits for the descriptor while that would block, and tells how it ended.
    template <typename Try, typename Token>
    auto transfer(Try attempt, boost::asio::posix::descriptor_base::wait_type wait, Token&& token) {
        return boost::asio::async_compose<Token, void(Error, std::size_t)>(
            [this, attempt, wait, started = false, over = std::optional<Outcome>{}](
                auto& self, Error error = {}) mutable {
                if (error) {
                    self.complete(error, 0);
                    return;
                }
                if (over) {
                    finish(self, *over);
                    return;
                }
                const Outcome outcome = attempt();
                if (outcome.state == State::would_block) {
                    started = true;
                    descriptor_.async_wait(wait, std::move(self));
                } else if (started) {
                    finish(self, outcome);
                } else {
                    over = outcome;
                    boost::asio::post(get_executor(), std::move(self));
                }
            },
            token, descriptor_);
    }

    template <typename Self>
    static void finish(Self& self, const Outcome& outcome) {
        const Error error =
            outcome.state == State::ended ? Error{boost::asio::error::eof} : Error{};
        self.complete(error, outcome.bytes);
    }

    std::unique_ptr<HandedStream> stream_;
    boost::asio::posix::stream_descriptor descriptor_;
    std::array<std::byte, 4096> gathered_{};  ///< for the write that runs
};

}  // namespace iotsky::api
