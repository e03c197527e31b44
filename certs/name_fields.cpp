#include "certs/name_fields.hpp"

#include <arpa/inet.h>
#include <openssl/objects.h>

#include <array>
#include <cstring>
#include <utility>

#include "base/text.hpp"

namespace iotsky::certs {
namespace {

struct KnownField {
    int nid;
    std::string_view name;
};
/// The names of AWS IoT's certificate policy variables.
constexpr std::array<KnownField, 13> kFields{{{NID_commonName, "CommonName"},
                                              {NID_countryName, "Country"},
                                              {NID_organizationName, "Organization"},
                                              {NID_organizationalUnitName, "OrganizationalUnit"},
                                              {NID_stateOrProvinceName, "State"},
                                              {NID_dnQualifier, "DistinguishedNameQualifier"},
                                              {NID_serialNumber, "SerialNumber"},
                                              {NID_title, "Title"},
                                              {NID_surname, "Surname"},
                                              {NID_givenName, "GivenName"},
                                              {NID_initials, "Initials"},
                                              {NID_pseudonym, "Pseudonym"},
                                              {NID_generationQualifier, "GenerationQualifier"}}};

std::string dotted_oid(const ASN1_OBJECT& object) {
    char text[128] = {};
    const int length = OBJ_obj2txt(text, sizeof text, &object, 1);
    return length <= 0 ? std::string{}
                       : std::string(text, std::min<std::size_t>(static_cast<std::size_t>(length),
                                                                 sizeof text - 1));
}

std::string field_name(const ASN1_OBJECT& object) {
    const int nid = OBJ_obj2nid(&object);
    for (const KnownField& field : kFields) {
        if (field.nid == nid) {
            return std::string{field.name};
        }
    }
    return dotted_oid(object);
}

std::string raw_text(const ASN1_STRING& value) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(&value)),
            static_cast<std::size_t>(ASN1_STRING_length(&value))};
}

std::string utf8_text(const ASN1_STRING& value) {
    unsigned char* out = nullptr;
    const int length = ASN1_STRING_to_UTF8(&out, &value);
    if (length < 0) {
        return raw_text(value);
    }
    std::string text(reinterpret_cast<const char*>(out), static_cast<std::size_t>(length));
    OPENSSL_free(out);
    return text;
}

std::string directory_text(const X509_NAME& name) {
    const ossl::Bio bio = ossl::writer();
    X509_NAME_print_ex(bio.get(), &name, 0, XN_FLAG_RFC2253);
    return ossl::text_of(*bio);
}

std::pair<std::string, std::string> read_alternative(const GENERAL_NAME& name) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(&name, &type);
    switch (type) {
        case GEN_DNS:
            return {"DNSName", raw_text(*static_cast<const ASN1_STRING*>(value))};
        case GEN_EMAIL:
            return {"RFC822Name", raw_text(*static_cast<const ASN1_STRING*>(value))};
        case GEN_URI:
            return {"UniformResourceIdentifier", raw_text(*static_cast<const ASN1_STRING*>(value))};
        case GEN_IPADD:
            return {"IPAddress", address_text(raw_text(*static_cast<const ASN1_STRING*>(value)))};
        case GEN_RID:
            return {"RegisteredId", dotted_oid(*static_cast<const ASN1_OBJECT*>(value))};
        case GEN_DIRNAME:
            return {"DirectoryName", directory_text(*static_cast<const X509_NAME*>(value))};
        default:
            return {"OtherName", ""};
    }
}

}  // namespace

NameFields read_name(const X509_NAME& name) {
    NameFields fields;
    for (int i = 0; i < X509_NAME_entry_count(&name); ++i) {
        const X509_NAME_ENTRY* entry = X509_NAME_get_entry(&name, i);
        fields.emplace(field_name(*X509_NAME_ENTRY_get_object(entry)),
                       utf8_text(*X509_NAME_ENTRY_get_data(entry)));
    }
    return fields;
}

NameFields read_alternative_names(const GENERAL_NAMES& names) {
    NameFields fields;
    for (int i = 0; i < sk_GENERAL_NAME_num(&names); ++i) {
        fields.insert(read_alternative(*sk_GENERAL_NAME_value(&names, i)));
    }
    return fields;
}

std::string address_text(std::string_view bytes) {
    char text[INET6_ADDRSTRLEN] = {};
    if (bytes.size() == 4 || bytes.size() == 16) {
        inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
        return text;
    }
    return to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

std::string address_bytes(const std::string& text) {
    char bytes[16];
    if (inet_pton(AF_INET, text.c_str(), bytes) == 1) {
        return {bytes, 4};
    }
    if (inet_pton(AF_INET6, text.c_str(), bytes) == 1) {
        return {bytes, 16};
    }
    return {};
}

}  // namespace iotsky::certs
