#include "tests/wire/packet_macro.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include "tests/support/mqtt_text.hpp"

using namespace iotsky;
using namespace iotsky::wire;

namespace {

std::string encoded(std::string_view words) {
    std::string out;
    for (const Packet& packet : parse_packets(words, "U")) {
        out += (out.empty() ? "" : " ") + test::hex(packet.bytes);
    }
    return out;
}

}  // namespace

TEST_SUITE("wire.packet_macro") {
    TEST_CASE("macros are the packets they name") {
        CHECK(encoded("connect(id=a)") == "100d00044d51545404020000000161");
        CHECK(encoded("connect(id=,clean=0,keep_alive=60,level=3,protocol=MQIsdp)") ==
              "100e00064d514973647003"
              "00003c0000");
        CHECK(
            encoded("connect(id=a,will=w,message=m,will_qos=1,will_retain=1,user=u,password=p)") ==
            "101900044d51545404ee0000000161"
            "000177"
            "00016d"
            "000175"
            "000170");
        CHECK(encoded("connack connack(code=5) connack(present=1)") ==
              "20020000 20020005 20020100");
        CHECK(encoded("publish(topic=a,payload=hi) publish(topic=a,qos=1,dup=1,retain=1,id=2)") ==
              "30050001616869 3b050001610002");
        CHECK(encoded("puback(id=1) pubrec(id=1) pubrel(id=1) pubcomp(id=1) unsuback(id=1)") ==
              "40020001 50020001 62020001 70020001 b0020001");
        CHECK(encoded("subscribe(id=1,filter=a,qos=1,filter=b,qos=2)") ==
              "820a000100016101"
              "00016202");
        CHECK(encoded("suback(id=1,codes=0080) unsubscribe(id=1,filter=a)") ==
              "900400010080 a2050001000161");
        CHECK(encoded("pingreq pingresp disconnect") == "c000 d000 e000");
    }

    TEST_CASE("any packet can be made malformed") {
        CHECK(encoded("pubrel(id=1,flags=0)") == "60020001");
        CHECK(encoded("puback(id=1,extra=00FF)") == "4004000100ff");
        CHECK(encoded("puback(id=1,cut=1)") == "400100");
        CHECK(encoded("connect(id=a,connect_flags=255)") == "100d00044d51545404ff0000000161");
        CHECK(encoded("C0 00") == "c0 00");
    }

    TEST_CASE("texts have escapes, repetition and a word of their own") {
        CHECK(expand("a%b", "U") == "aUb");
        CHECK(expand("\\x00\\xFF\\x2C", "U") == std::string("\0\xFF,", 3));
        CHECK(expand("{/a*3}!", "U") == "/a/a/a!");
        CHECK(expand("{%*2}", "U") == "UU");
        CHECK(expand("a b", "U") == "a b");
    }

    TEST_CASE("an open identifier is known by its place and name") {
        const Packet packet = parse_packets("publish(topic=ab,qos=1,id=$p,payload=x)", "U").at(0);
        CHECK(packet.id_offset == 6);
        CHECK(packet.id_variable == "p");
        CHECK(test::hex(packet.bytes) ==
              "32070002616200"
              "0078");
        CHECK(parse_packets("puback(id=?)", "U").at(0).id_variable.empty());
        CHECK_FALSE(parse_packets("puback(id=7)", "U").at(0).id_offset);
    }

    TEST_CASE("mistakes are refused, not guessed at") {
        for (const std::string_view bad :
             {"conect(id=a)", "connect(idd=a)", "connect(id=a", "puback", "puback(id=x)", "C0 0",
              "publish(topic=a,topic=b)", "subscribe(id=1,filter=a,qos=0,qos=1)", "connect(id)",
              "publish(topic=\\y)", "publish(topic={a})", "puback(id=1,cut=3)", "c000"}) {
            CAPTURE(bad);
            CHECK_THROWS_AS((void)parse_packets(bad, "U"), std::invalid_argument);
        }
    }
}
