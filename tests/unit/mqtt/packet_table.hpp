#pragma once

#include <string_view>

/// Bytes of one Control Packet and what they say; used by the decoder's and the framer's tests.
namespace iotsky::test {

struct GoodPacket {
    std::string_view hex;
    std::string_view text;
    bool from_server = false;
};

inline constexpr GoodPacket kGoodPackets[] = {
    // CONNECT, section 3.1
    {"10 0C 0004 4D515454 04 02 0000 0000", "CONNECT level=4 clean=1 keep_alive=0 id="},
    {"10 0D 0004 4D515454 04 00 003C 0001 61", "CONNECT level=4 clean=0 keep_alive=60 id=a"},
    {"10 0F 0006 4D5149736470 03 02 FFFF 0001 61", "CONNECT level=3 clean=1 keep_alive=65535 id=a"},
    {"10 13 0004 4D515454 04 36 000A 0001 61 0001 77 0001 00",
     "CONNECT level=4 clean=1 keep_alive=10 id=a will=w message=00 will_qos=2 will_retain=1"},
    {"10 12 0004 4D515454 04 0E 000A 0001 61 0001 77 0000",
     "CONNECT level=4 clean=1 keep_alive=10 id=a will=w message= will_qos=1 will_retain=0"},
    {"10 13 0004 4D515454 04 C2 0000 0001 61 0001 75 0001 FF",
     "CONNECT level=4 clean=1 keep_alive=0 id=a user=u password=ff"},
    {"10 11 0004 4D515454 04 C2 0000 0001 61 0000 0000",
     "CONNECT level=4 clean=1 keep_alive=0 id=a user= password="},
    {"10 1F 0004 4D515454 04 F6 0001 0003 EFBBBF 0002 C3BC 0001 21 0003 E282AC 0002 0000",
     "CONNECT level=4 clean=1 keep_alive=1 id=\xEF\xBB\xBF will=\xC3\xBC message=21 will_qos=2 "
     "will_retain=1 user=\xE2\x82\xAC password=0000"},
    // CONNACK, section 3.2
    {"20 02 00 00", "CONNACK session_present=0 code=0", true},
    {"20 02 01 00", "CONNACK session_present=1 code=0", true},
    {"20 02 00 05", "CONNACK session_present=0 code=5", true},
    // PUBLISH, section 3.3
    {"30 03 0001 61", "PUBLISH dup=0 qos=0 retain=0 topic=a id=0 payload="},
    {"31 05 0001 61 6869", "PUBLISH dup=0 qos=0 retain=1 topic=a id=0 payload=6869"},
    {"32 07 0003 612F62 000A", "PUBLISH dup=0 qos=1 retain=0 topic=a/b id=10 payload="},
    {"3A 08 0003 612F62 FFFF 00", "PUBLISH dup=1 qos=1 retain=0 topic=a/b id=65535 payload=00"},
    {"34 08 0001 2F 0001 616263", "PUBLISH dup=0 qos=2 retain=0 topic=/ id=1 payload=616263"},
    {"3D 06 0001 24 0100 2B", "PUBLISH dup=1 qos=2 retain=1 topic=$ id=256 payload=2b"},
    // PUBACK to PUBCOMP, sections 3.4 to 3.7; either side sends them
    {"40 02 0001", "PUBACK id=1"},
    {"50 02 FFFF", "PUBREC id=65535"},
    {"62 02 0100", "PUBREL id=256"},
    {"70 02 000A", "PUBCOMP id=10"},
    // SUBSCRIBE to UNSUBACK, sections 3.8 to 3.11
    {"82 06 0001 0001 61 00", "SUBSCRIBE id=1 count=1 filter=a qos=0"},
    {"82 0E 000A 0001 23 02 0005 612F2B2F62 01",
     "SUBSCRIBE id=10 count=2 filter=# qos=2 filter=a/+/b qos=1"},
    {"90 03 0001 80", "SUBACK id=1 codes=80", true},
    {"90 06 000A 00010280", "SUBACK id=10 codes=00010280", true},
    {"A2 05 0001 0001 61", "UNSUBSCRIBE id=1 count=1 filter=a"},
    {"A2 0A FFFF 0001 2B 0003 612F23", "UNSUBSCRIBE id=65535 count=2 filter=+ filter=a/#"},
    {"B0 02 0001", "UNSUBACK id=1", true},
    // PINGREQ to DISCONNECT, sections 3.12 to 3.14
    {"C0 00", "PINGREQ"},
    {"D0 00", "PINGRESP", true},
    {"E0 00", "DISCONNECT"},
};

}  // namespace iotsky::test
