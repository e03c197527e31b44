#include "broker/net/tls_pipe.hpp"

#include <openssl/bio.h>

#include <algorithm>
#include <cstring>

namespace iotsky::net {
namespace {

TlsPipe& pipe_of(BIO* bio) {
    return *static_cast<TlsPipe*>(BIO_get_data(bio));
}

int read_slice(BIO* bio, char* into, int size) {
    BIO_clear_retry_flags(bio);
    TlsPipe& pipe = pipe_of(bio);
    if (pipe.stop) {
        return -1;  // without "retry": an error
    }
    if (pipe.in.empty()) {
        BIO_set_retry_read(bio);
        return -1;
    }
    const std::size_t n = std::min(static_cast<std::size_t>(size), pipe.in.size());
    std::memcpy(into, pipe.in.data(), n);
    pipe.in = pipe.in.subspan(n);
    return static_cast<int>(n);
}

int write_cipher(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    const TlsPipe& pipe = pipe_of(bio);
    const auto n = static_cast<std::size_t>(size);
    // Callers leave room for a record, handshakes for a flight; what does not fit is a peer that
    // makes us answer more than it may.
    if (pipe.out == nullptr || n > pipe.out->cipher_room()) {
        return -1;
    }
    std::memcpy(pipe.out->cipher.data() + pipe.out->cipher_used, bytes, n);
    pipe.out->cipher_used += n;
    return size;
}

long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_method() {
    BIO_METHOD* const method =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "iotsky pipe");
    BIO_meth_set_read(method, read_slice);
    BIO_meth_set_write(method, write_cipher);
    BIO_meth_set_ctrl(method, control);
    return method;
}

}  // namespace

ossl::BioPtr make_pipe_bio(TlsPipe& pipe) {
    static BIO_METHOD* const method = make_method();  // for the life of the process
    ossl::BioPtr bio{BIO_new(method)};
    if (bio) {
        BIO_set_data(bio.get(), &pipe);
        BIO_set_init(bio.get(), 1);
    }
    return bio;
}

}  // namespace iotsky::net
