"""A small MQTT 3.1.1 client that hides nothing: packets in, packets out, over TCP or TLS.

It answers nothing by itself, so that a test decides about each acknowledgement.
"""
import socket
import ssl
import struct
import time

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = range(8, 15)


class Closed(Exception):
    """The broker closed the connection."""


def text(value):
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("!H", len(raw)) + raw


def packet(kind, flags, body):
    head, left = bytearray([kind << 4 | flags]), len(body)
    while True:
        head.append(left % 128 | (128 if left > 127 else 0))
        left //= 128
        if not left:
            return bytes(head) + body


def connect_packet(client_id, clean=True, keep_alive=0, will=None):
    """`will`: (topic, payload, qos, retain)."""
    flags, payload = (2 if clean else 0), text(client_id)
    if will:
        topic, message, qos, retain = will
        flags |= 4 | qos << 3 | retain << 5
        payload += text(topic) + text(message)
    return packet(CONNECT, 0, text("MQTT") + bytes([4, flags]) + struct.pack("!H", keep_alive) + payload)


def publish_packet(topic, payload=b"", qos=0, retain=False, packet_id=1, dup=False):
    body = text(topic) + (struct.pack("!H", packet_id) if qos else b"") + payload
    return packet(PUBLISH, dup << 3 | qos << 1 | retain, body)


def websocket_request(path="/mqtt", host="localhost", *lines):
    """The request for MQTT over WebSocket, with more header lines."""
    return "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
                        "Sec-WebSocket-Protocol: mqtt", *lines, "", ""]).encode()


def websocket_frame(data):
    """`data`, at most 125 bytes, in a binary frame of a client; its mask is zero."""
    return bytes([0x82, 0x80 | len(data), 0, 0, 0, 0]) + data


class Message:
    """A PUBLISH that came in."""

    def __init__(self, flags, body):
        self.dup, self.qos, self.retain = bool(flags & 8), flags >> 1 & 3, bool(flags & 1)
        size = struct.unpack_from("!H", body)[0]
        self.topic, rest = body[2:2 + size].decode(), body[2 + size:]
        self.packet_id = struct.unpack_from("!H", rest)[0] if self.qos else None
        self.payload = rest[2:] if self.qos else rest

    def __repr__(self):
        return f"{self.topic}={self.payload!r} qos={self.qos} retain={self.retain}"


def tls_context(identity, version=None, certificate=True):
    """Checks the broker by `identity.ca` and shows its certificate; `version`: "1.2", "1.3", None both."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(identity.ca)
    if certificate:
        context.load_cert_chain(identity.crt, identity.key)
    if version:
        one = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
        context.minimum_version = context.maximum_version = one
    return context


class Client:
    """One Network Connection; `context` None is plain TCP; `source`: the address it comes from."""

    def __init__(self, port, context=None, session=None, seconds=60, source=""):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=seconds,
                                             source_address=(source, 0))
        self.seconds = seconds
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            self.sock = context.wrap_socket(self.sock, server_hostname="localhost", session=session)
        self.bytes = b""
        self.inbox = []
        self.next_id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def fill(self, count, end):
        while len(self.bytes) < count:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("no packet in time")
            self.sock.settimeout(left)
            try:
                more = self.sock.recv(65536)
            except (ConnectionError, ssl.SSLError) as error:
                if isinstance(error, ssl.SSLWantReadError) or "timed out" in str(error):
                    raise TimeoutError("no packet in time") from error
                raise Closed(str(error)) from error
            if not more:
                raise Closed("end of stream")
            self.bytes += more

    def read(self, seconds=None):
        """The next packet as (kind, flags, body)."""
        end = time.monotonic() + (self.seconds if seconds is None else seconds)
        size, at = 0, 1
        while True:
            self.fill(at + 1, end)
            size |= (self.bytes[at] & 127) << 7 * (at - 1)
            at += 1
            if not self.bytes[at - 1] & 128:
                break
        self.fill(at + size, end)
        first, body = self.bytes[0], self.bytes[at:at + size]
        self.bytes = self.bytes[at + size:]
        return first >> 4, first & 15, body

    def expect(self, kind):
        """The body of the next packet, which must be a `kind`; messages before it go to the inbox."""
        got, flags, body = self.read()
        while got == PUBLISH:
            self.inbox.append(Message(flags, body))
            got, flags, body = self.read()
        if got != kind:
            raise AssertionError(f"packet {got} came, not {kind}: {body!r}")
        return body

    def connect(self, client_id, code=0, **options):
        """CONNECT; True when the broker has a session. Fails unless CONNACK has `code`."""
        self.send(connect_packet(client_id, **options))
        present, got = self.expect(CONNACK)
        if got != code:
            raise AssertionError(f"CONNACK {got}, not {code}")
        return bool(present)

    def new_id(self):
        self.next_id = self.next_id % 65535 + 1
        return self.next_id

    def subscribe(self, *filters, qos=0):
        """The return codes."""
        number = self.new_id()
        body = struct.pack("!H", number) + b"".join(text(f) + bytes([qos]) for f in filters)
        self.send(packet(SUBSCRIBE, 2, body))
        return list(self.expect(SUBACK)[2:])

    def publish(self, topic, payload=b"", qos=0, **options):
        """Returns when it is acknowledged, as its `qos` has it."""
        number = self.new_id() if qos else 1
        self.send(publish_packet(topic, payload, qos, packet_id=number, **options))
        if qos == 1:
            assert self.expect(PUBACK) == struct.pack("!H", number)
        if qos == 2:
            assert self.expect(PUBREC) == struct.pack("!H", number)
            self.send(packet(PUBREL, 2, struct.pack("!H", number)))
            assert self.expect(PUBCOMP) == struct.pack("!H", number)

    def message(self):
        """The next message; acknowledged at QoS 1."""
        if self.inbox:
            message = self.inbox.pop(0)
        else:
            kind, flags, body = self.read()
            if kind != PUBLISH:
                raise AssertionError(f"packet {kind} came, not a PUBLISH")
            message = Message(flags, body)
        if message.qos == 1:
            self.send(packet(PUBACK, 0, struct.pack("!H", message.packet_id)))
        return message

    def until(self, payload):
        """The messages up to the first with `payload`: another client's, or a queue's, may come after a PINGRESP."""
        found = [self.message()]
        while found[-1].payload != payload:
            found.append(self.message())
        return found

    def messages(self):
        """All that came until now: what lies before the answer to a PINGREQ."""
        self.send(packet(PINGREQ, 0, b""))
        found, self.inbox = self.inbox, []
        while True:
            kind, flags, body = self.read()
            if kind == PINGRESP:
                return found
            if kind == PUBLISH:
                found.append(Message(flags, body))

    def disconnect(self):
        """Returns when the broker has closed: it has read the packet, and whatever comes next finds that done."""
        self.send(packet(DISCONNECT, 0, b""))
        self.wait_closed()
        self.sock.close()

    def drop(self):
        """Ends the connection without DISCONNECT, which sets off the will."""
        self.sock.close()

    def wait_closed(self, seconds=60):
        """Seconds until the broker closed; fails when it does not."""
        began = time.monotonic()
        try:
            while True:
                self.read(seconds)
        except Closed:
            return time.monotonic() - began
