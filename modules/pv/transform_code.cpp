// modules/pv/transform_code.cpp - {s.*} that code texts: digests, encode, decode, escape, unescape
#include "modules/pv/codes.h"
#include "modules/pv/transform.h"

#include "core/crypto/digest.h"
#include "core/sip/uri.h"

namespace sipyard::pv {

namespace {

// --- digests -------------------------------------------------------------------------------------

template <crypto::Algorithm algorithm>
Value digest(Request& r, const Value& in, Args)
{
    const auto raw = crypto::digest(algorithm, in_text(r, in));
    char* const out = r.arena().array<char>(raw.size * 2);
    for (std::size_t i = 0; i < raw.size; ++i) {
        const auto byte = static_cast<unsigned char>(raw.bytes[i]);
        out[2 * i] = "0123456789abcdef"[byte >> 4];
        out[2 * i + 1] = "0123456789abcdef"[byte & 15];
    }
    return std::string_view{out, raw.size * 2};
}
Value keccak(Request& r, const Value& in, Args) { return keccak256_hex(in_text(r, in), r.arena()); }
Value checksum(Request& r, const Value& in, Args) { return number(crc32(in_text(r, in))); }
Value hash(Request& r, const Value& in, Args args)
{
    const auto size = args.empty() ? std::optional<std::int64_t>{0} : arg_number(args, 0);
    if (!size || *size < 0 || *size > 0xffffffffLL)
        return refuse(r, "s.corehash", "the size cannot be used", arg_text(r, args, 0));
    return number(core_hash(in_text(r, in), static_cast<std::uint32_t>(*size)));
}

// --- encode, decode ------------------------------------------------------------------------------

Value kept(Request& r, std::string_view text) { return r.arena().copy(text); }
Value decoded(Request& r, std::string_view name, std::string_view input,
              const std::optional<std::string>& text)
{
    return text ? kept(r, *text) : refuse(r, name, "cannot be decoded", input);
}
std::string_view without_padding(std::string_view text)
{
    return text.substr(0, text.find_last_not_of('=') + 1);
}

Value to_hex(Request& r, const Value& in, Args) { return kept(r, hex(in_text(r, in))); }
Value from_hex(Request& r, const Value& in, Args)
{
    return decoded(r, "s.decode.hexa", in_text(r, in), unhex(in_text(r, in)));
}
Value to_base64(Request& r, const Value& in, Args) { return kept(r, base64(in_text(r, in))); }
Value to_base64_tight(Request& r, const Value& in, Args)
{
    return kept(r, without_padding(base64(in_text(r, in))));
}
Value from_base64(Request& r, const Value& in, Args)
{
    return decoded(r, "s.decode.base64", in_text(r, in), unbase64(in_text(r, in)));
}
Value to_base64url(Request& r, const Value& in, Args)
{
    std::string text = base64url(in_text(r, in));
    text.append((4 - text.size() % 4) % 4, '=');
    return kept(r, text);
}
Value to_base64url_tight(Request& r, const Value& in, Args) { return kept(r, base64url(in_text(r, in))); }
Value from_base64url(Request& r, const Value& in, Args)
{
    return decoded(r, "s.decode.base64url", in_text(r, in), unbase64url(without_padding(in_text(r, in))));
}
Value to_base58(Request& r, const Value& in, Args)
{
    const auto text = base58_encode(in_text(r, in), r.arena());
    return text ? Value{*text}
                : refuse(r, "s.encode.base58", "the text is too long", in_text(r, in).substr(0, 32));
}
Value from_base58(Request& r, const Value& in, Args)
{
    const auto text = base58_decode(in_text(r, in), r.arena());
    return text ? Value{*text}
                : refuse(r, "s.decode.base58", "cannot be decoded", in_text(r, in).substr(0, 256));
}
Value to_gsm(Request& r, const Value& in, Args) { return gsm_pack(in_text(r, in), r.arena()); }
Value from_gsm(Request& r, const Value& in, Args) { return gsm_unpack(in_text(r, in), r.arena()); }

// --- escape, unescape ----------------------------------------------------------------------------

// What stands for a character behind the backslash; '\0' when it needs none.
constexpr char common_code(char c) { return c == '\'' || c == '"' || c == '\\' ? c : c == '\0' ? '0' : '\0'; }
constexpr char common_meaning(char code) { return code == '0' ? '\0' : code; }
constexpr char crlf_code(char c) { return c == '\r' ? 'r' : c == '\n' ? 'n' : '\0'; }

template <char (*code_of)(char)>
Value escape(Request& r, const Value& in, Args)
{
    const auto text = in_text(r, in);
    char* const out = r.arena().array<char>(text.size() * 2);
    std::size_t size = 0;
    for (const char c : text) {
        if (const char code = code_of(c); code != '\0') {
            out[size++] = '\\';
            out[size++] = code;
        } else {
            out[size++] = c;
        }
    }
    return std::string_view{out, size};
}

Value unescape_common(Request& r, const Value& in, Args)
{
    const auto text = in_text(r, in);
    char* const out = r.arena().array<char>(text.size());
    std::size_t size = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool coded = text[i] == '\\' && i + 1 < text.size() &&
                           std::string_view{"'\"\\0"}.find(text[i + 1]) != std::string_view::npos;
        out[size++] = coded ? common_meaning(text[++i]) : text[i];
    }
    return std::string_view{out, size};
}
Value unescape_crlf(Request& r, const Value& in, Args)
{
    const auto text = in_text(r, in);
    char* const out = r.arena().array<char>(text.size());
    std::size_t size = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
        if (next == 'r' || next == 'n') {
            out[size++] = next == 'r' ? '\r' : '\n';
            ++i;
        } else {
            out[size++] = text[i];
        }
    }
    return std::string_view{out, size};
}

Value escape_csv(Request& r, const Value& in, Args) // RFC 4180 2
{
    return r.arena().concat("\"", replace_all(in_text(r, in), "\"", "\"\""), "\"");
}
Value unescape_csv(Request& r, const Value& in, Args)
{
    auto text = in_text(r, in);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        text = text.substr(1, text.size() - 2);
    return kept(r, replace_all(text, "\"\"", "\""));
}

Value escape_user(Request& r, const Value& in, Args) { return kept(r, sip::escape_user(in_text(r, in))); }
Value escape_param(Request& r, const Value& in, Args) { return kept(r, sip::escape_param(in_text(r, in))); }
Value unescape(Request& r, const Value& in, Args) { return kept(r, sip::unescape(in_text(r, in))); }

// As HTML forms do it: a blank is '+'.
Value url_encode(Request& r, const Value& in, Args)
{
    return kept(r, replace_all(percent_encode(in_text(r, in), " -._~"), " ", "+"));
}
Value url_decode(Request& r, const Value& in, Args)
{
    return kept(r, sip::unescape(replace_all(in_text(r, in), "+", " ")));
}

} // namespace

Transformations code_transformations()
{
    using crypto::Algorithm;
    const auto s = [](std::string op, auto apply, std::string about, std::size_t most = 0) {
        return transformation("s", std::move(op), 0, most, apply, std::move(about));
    };
    return {
        s("md5", digest<Algorithm::md5>, "MD5 in hexadecimal digits"),
        s("sha1", digest<Algorithm::sha1>, "SHA-1 in hexadecimal digits"),
        s("sha256", digest<Algorithm::sha256>, "SHA-256 in hexadecimal digits"),
        s("sha384", digest<Algorithm::sha384>, "SHA-384 in hexadecimal digits"),
        s("sha512", digest<Algorithm::sha512>, "SHA-512 in hexadecimal digits"),
        s("sha3", digest<Algorithm::sha3_256>, "SHA3-256 in hexadecimal digits"),
        s("keccak", keccak, "Keccak-256 in hexadecimal digits"),
        s("crc32", checksum, "CRC-32 as a number"),
        checked(s("corehash", hash, "A hash as a number, below the size (a power of two) if one is given", 1),
                numbers_at<0>),
        s("encode.hexa", to_hex, "Hexadecimal digits"),
        s("decode.hexa", from_hex, "Back from hexadecimal digits; null when they are none"),
        s("encode.7bit", to_gsm, "GSM 7 bit alphabet, packed"),
        s("decode.7bit", from_gsm, "Back from it"),
        s("encode.base58", to_base58, "Base58"),
        s("decode.base58", from_base58, "Back from base58; null when it is none"),
        s("encode.base64", to_base64, "Base64"),
        s("encode.base64t", to_base64_tight, "Base64 without padding"),
        s("decode.base64", from_base64, "Back from base64, with or without padding; null when it is none"),
        s("decode.base64t", from_base64, "The same"),
        s("encode.base64url", to_base64url, "Base64 with the letters of URLs"),
        s("encode.base64urlt", to_base64url_tight, "The same without padding"),
        s("decode.base64url", from_base64url, "Back from it, with or without padding; null when it is none"),
        s("decode.base64urlt", from_base64url, "The same"),
        s("escape.common", escape<common_code>, "With a backslash before quotes, backslashes and NUL"),
        s("unescape.common", unescape_common, "Back from it"),
        s("escape.crlf", escape<crlf_code>, "With \\r and \\n for line ends"),
        s("unescape.crlf", unescape_crlf, "Back from it"),
        s("escape.user", escape_user, "As the user of a SIP URI"),
        s("unescape.user", unescape, "Back from it"),
        s("escape.param", escape_param, "As a parameter of a SIP URI"),
        s("unescape.param", unescape, "Back from it"),
        s("escape.csv", escape_csv, "As a quoted CSV field"),
        s("unescape.csv", unescape_csv, "Back from it"),
        s("urlencode.param", url_encode, "As a value in an HTTP query"),
        s("urldecode.param", url_decode, "Back from it"),
    };
}

} // namespace sipyard::pv
