// modules/pv/transform_test.cpp - every transformation, its edges and its refusals
#include "modules/pv/bench_test.h"

using namespace sipyard;
using namespace sipyard::pv;

namespace {

struct Step {
    const char* story;
    std::string_view input;
    const char* step; // "{s.len}"
    std::string_view expected;
};

void check(std::initializer_list<Step> steps)
{
    Bench bench;
    test::Messenger message{bench.host, test::sample_request()};
    for (const Step& step : steps) {
        INFO(step.story << ": '" << step.input << "' " << step.step);
        bench.set(*message, "$vn(x)", Value{step.input});
        CHECK(bench.ask(*message, std::string{"$(vn(x)"} + step.step + ")") == step.expected);
    }
}

} // namespace

TEST_CASE("texts are cut", "[pv]")
{
    check({
        {"length", "hello", "{s.len}", "int 5"},
        {"of nothing", "", "{s.len}", "int 0"},
        {"middle", "abcdef", "{s.substr,1,3}", "bcd"},
        {"length 0 is to the end", "abcdef", "{s.substr,2,0}", "cdef"},
        {"a length past the end is cut", "abc", "{s.substr,1,99}", "bc"},
        {"offset from the end", "abcdef", "{s.substr,-2,0}", "ef"},
        {"offset from the very start", "abc", "{s.substr,-3,1}", "a"},
        {"offset out of range", "abc", "{s.substr,3,1}", "<null>"},
        {"before the start", "abc", "{s.substr,-4,1}", "<null>"},
        {"of nothing", "", "{s.substr,0,1}", "<null>"},
        {"largest offset does not overflow", "abc", "{s.substr,9223372036854775807,9223372036854775807}",
         "<null>"},
        {"smallest one neither", "abc", "{s.substr,-9223372036854775808,1}", "<null>"},
        {"a text as offset", "abc", "{s.substr,x,1}", "! {s.substr}: \"x\" is not a number"},
        {"first element", "a,b,c", "{s.select,0,,}", "a"},
        {"last element", "a,b,c", "{s.select,-1,,}", "c"},
        {"first from the end", "a,b,c", "{s.select,-3,,}", "a"},
        {"beyond", "a,b,c", "{s.select,3,,}", ""},
        {"beyond from the end", "a,b,c", "{s.select,-4,,}", ""},
        {"another separator", "a;b", "{s.select,1,;}", "b"},
        {"empty elements count", "a,,c", "{s.select,1,,}", ""},
        {"separator of two letters", "a,b", "{s.select,1,ab}",
         "! {s.select}: \"ab\" is not one separator character"},
        {"by prefix", "a=1;b=2", "{s.selectsw,b=,;}", "b=2"},
        {"no such prefix", "a=1;b=2", "{s.selectsw,c=,;}", ""},
        {"strip", "abcd", "{s.strip,2}", "cd"},
        {"strip beyond", "abcd", "{s.strip,5}", ""},
        {"strip less than nothing", "abcd", "{s.strip,-1}", "<null>"},
        {"striptail", "abcd", "{s.striptail,1}", "abc"},
        {"striptail beyond", "ab", "{s.striptail,2}", ""},
        {"stripto", "sip:bob", "{s.stripto,:}", ":bob"},
        {"stripto without it", "sip", "{s.stripto,:}", ""},
        {"before", "a-b-c", "{s.before,-}", "a"},
        {"before without it", "abc", "{s.before,-}", "abc"},
        {"after", "a-b-c", "{s.after,-}", "b-c"},
        {"after without it", "abc", "{s.after,-}", ""},
        {"rbefore", "a-b-c", "{s.rbefore,-}", "a-b"},
        {"rafter", "a-b-c", "{s.rafter,-}", "c"},
        {"charat", "abc", "{s.charat,1}", "b"},
        {"charat from the end", "abc", "{s.charat,-1}", "c"},
        {"charat out of range", "abc", "{s.charat,3}", "<null>"},
        {"byteat", "abc", "{s.byteat,0}", "int 97"},
        {"byteat of a high byte", "\xff", "{s.byteat,0}", "int 255"},
        {"byteat out of range", "", "{s.byteat,0}", "<null>"},
        {"prefixes", "123", "{s.prefixes}", "1,12,123"},
        {"two prefixes", "123", "{s.prefixes,2}", "1,12"},
        {"more prefixes than letters", "12", "{s.prefixes,9}", "1,12"},
        {"of nothing", "", "{s.prefixes}", ""},
        {"quoted", "12", "{s.prefixes.quoted}", "'1','12'"},
        {"quoted, one", "12", "{s.prefixes.quoted,1}", "'1'"},
    });
}

TEST_CASE("texts are rewritten", "[pv]")
{
    check({
        {"tolower", "AbC1", "{s.tolower}", "abc1"},
        {"toupper", "AbC1", "{s.toupper}", "ABC1"},
        {"trim", " \t a b\r\n", "{s.trim}", "a b"},
        {"trim of blanks only", "  ", "{s.trim}", ""},
        {"ltrim", "  a ", "{s.ltrim}", "a "},
        {"rtrim", "  a ", "{s.rtrim}", "  a"},
        {"rm a character", "a-b-c", "{s.rm,-}", "abc"},
        {"rm a text", "xabxab", "{s.rm,ab}", "xx"},
        {"rm what is not there", "abc", "{s.rm,z}", "abc"},
        {"rmws", " a\tb\r\nc ", "{s.rmws}", "abc"},
        {"rmhdws unfolds", "a,\r\n  b", "{s.rmhdws}", "a,b"},
        {"rmhlws leaves a blank", "a,\r\n  b", "{s.rmhlws}", "a, b"},
        {"a fold without blanks", "a\nb", "{s.rmhlws}", "a b"},
        {"replace", "abcabc", "{s.replace,b,xy}", "axycaxyc"},
        {"replace with nothing there", "abc", "{s.replace,z,y}", "abc"},
        {"count", "banana", "{s.count,a}", "int 3"},
        {"count none", "", "{s.count,a}", "int 0"},
        {"unquote", "\"x\"", "{s.unquote}", "x"},
        {"unquote single", "'x'", "{s.unquote}", "x"},
        {"one quote stays", "\"x", "{s.unquote}", "\"x"},
        {"unbracket", "<sip:a@b>", "{s.unbracket}", "sip:a@b"},
        {"brackets that do not match", "<a]", "{s.unbracket}", "<a]"},
        {"numeric", "+49 (30) 1", "{s.numeric}", "49301"},
        {"fmtlines", "abcdef", "{s.fmtlines,4,2}", "abcd\r\n  ef"},
        {"fmtlinet", "abcdef", "{s.fmtlinet,4,1}", "abcd\r\n\tef"},
        {"a width of 0", "abc", "{s.fmtlines,0,2}", "<null>"},
        {"int", "42", "{s.int}", "int 42"},
        {"int, negative", "-7", "{s.int}", "int -7"},
        {"int of a text", "4x", "{s.int}", "<null>"},
        {"intv", "42abc", "{s.intv}", "int 42"},
        {"intv of a text", "abc", "{s.intv}", "int 0"},
        {"ftime", "0", "{s.ftime,%Y}", "1970"},
        {"ftime of a text", "x", "{s.ftime,%Y}", "<null>"},
        {"chained", " Bob ", "{s.trim}{s.tolower}{s.len}", "int 3"},
    });
}

TEST_CASE("texts are coded", "[pv]")
{
    using namespace std::string_view_literals;
    check({
        {"md5", "abc", "{s.md5}", "900150983cd24fb0d6963f7d28e17f72"},
        {"sha1", "abc", "{s.sha1}", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {"sha256", "abc", "{s.sha256}", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"sha384", "abc", "{s.sha384}{s.substr,0,8}", "cb00753f"},
        {"sha512", "abc", "{s.sha512}{s.substr,0,8}", "ddaf35a1"},
        {"sha3", "abc", "{s.sha3}", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
        {"keccak", "", "{s.keccak}", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
        {"keccak", "abc", "{s.keccak}", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
        {"crc32", "123456789", "{s.crc32}", "int 3421780262"},
        {"corehash below its size", "alice", "{s.corehash,1}", "int 0"},
        {"corehash with a bad size", "alice", "{s.corehash,x}", "! {s.corehash}: \"x\" is not a number"},
        {"hexa", "aB\xff", "{s.encode.hexa}", "6142ff"},
        {"and back", "6142FF", "{s.decode.hexa}", "aB\xff"},
        {"no hexa", "61f", "{s.decode.hexa}", "<null>"},
        {"base64", "ab", "{s.encode.base64}", "YWI="},
        {"without padding", "ab", "{s.encode.base64t}", "YWI"},
        {"and back", "YWI=", "{s.decode.base64}", "ab"},
        {"and back without padding", "YWI", "{s.decode.base64t}", "ab"},
        {"no base64", "?", "{s.decode.base64}", "<null>"},
        {"base64url", "\xfb\xff", "{s.encode.base64url}", "-_8="},
        {"base64urlt", "\xfb\xff", "{s.encode.base64urlt}", "-_8"},
        {"and back", "-_8=", "{s.decode.base64url}", "\xfb\xff"},
        {"and back", "-_8", "{s.decode.base64urlt}", "\xfb\xff"},
        {"base58", "Hello World!", "{s.encode.base58}", "2NEpo7TZRRrLZSi2U"},
        {"and back, nothing appended", "2NEpo7TZRRrLZSi2U", "{s.decode.base58}", "Hello World!"},
        {"leading zeros", "\0\0a"sv, "{s.encode.base58}", "112g"},
        {"no base58", "0OIl", "{s.decode.base58}", "<null>"},
        {"7bit", "hellohello", "{s.encode.7bit}{s.encode.hexa}", "e8329bfd4697d9ec37"},
        {"7bit there and back", "a@b{c} 1234567 $_", "{s.encode.7bit}{s.decode.7bit}", "a@b{c} 1234567 $_"},
        {"seven septets get no @", "1234567", "{s.encode.7bit}{s.decode.7bit}", "1234567"},
        {"7bit of other letters", "\xc3", "{s.encode.7bit}{s.decode.7bit}", "?"},
        {"escape.common", "a'\"\\\0"sv, "{s.escape.common}", "a\\'\\\"\\\\\\0"},
        {"and back", "a\\'\\\"\\\\\\0", "{s.unescape.common}", "a'\"\\\0"sv},
        {"a backslash at the end", "a\\", "{s.unescape.common}", "a\\"},
        {"escape.crlf", "a\r\nb", "{s.escape.crlf}", "a\\r\\nb"},
        {"and back", "a\\r\\nb\\t", "{s.unescape.crlf}", "a\r\nb\\t"},
        {"escape.user", "a b@c", "{s.escape.user}", "a%20b%40c"},
        {"and back", "a%20b%40c%", "{s.unescape.user}", "a b@c%"},
        {"escape.param", "a;b", "{s.escape.param}", "a%3Bb"},
        {"and back", "a%3bb", "{s.unescape.param}", "a;b"},
        {"escape.csv", "a\"b", "{s.escape.csv}", "\"a\"\"b\""},
        {"and back", "\"a\"\"b\"", "{s.unescape.csv}", "a\"b"},
        {"urlencode", "a b&c", "{s.urlencode.param}", "a+b%26c"},
        {"and back", "a+b%26c%2", "{s.urldecode.param}", "a b&c%2"},
    });
}

TEST_CASE("addresses are taken apart", "[pv]")
{
    const char* full = "sip:bob:pw@example.com:5080;transport=tcp;ttl=3;user=phone;maddr=10.0.0.1;method="
                       "INVITE;lr;r2=on?a=b";
    check({
        {"user", full, "{uri.user}", "bob"},
        {"passwd", full, "{uri.passwd}", "pw"},
        {"host", full, "{uri.host}", "example.com"},
        {"domain", full, "{uri.domain}", "example.com"},
        {"port", full, "{uri.port}", "int 5080"},
        {"params", full, "{uri.params}",
         "transport=tcp;ttl=3;user=phone;maddr=10.0.0.1;method=INVITE;lr;r2=on"},
        {"param", full, "{uri.param,ttl}", "3"},
        {"a parameter that is not there", full, "{uri.param,x}", ""},
        {"headers", full, "{uri.headers}", "a=b"},
        {"transport", full, "{uri.transport}", "tcp"},
        {"ttl", full, "{uri.ttl}", "3"},
        {"uparam", full, "{uri.uparam}", "phone"},
        {"maddr", full, "{uri.maddr}", "10.0.0.1"},
        {"method", full, "{uri.method}", "INVITE"},
        {"lr", full, "{uri.lr}", ""},
        {"r2", full, "{uri.r2}", "on"},
        {"scheme", full, "{uri.scheme}", "sip"},
        {"rmparam", "sip:a@b;x=1;y", "{uri.rmparam,x}", "sip:a@b;y"},
        {"tosocket", full, "{uri.tosocket}", "tcp:example.com:5080"},
        {"tosocket of little", "sips:b", "{uri.tosocket}", "tls:b:5061"},
        {"saor", full, "{uri.saor}", "sip:bob@example.com"},
        {"suri", full, "{uri.suri}", "sip:bob@example.com:5080;transport=tcp"},
        {"duri", full, "{uri.duri}", "sip:example.com:5080;transport=tcp"},
        {"no port", "sip:a@b", "{uri.port}", ""},
        {"no user", "sip:b", "{uri.user}", ""},
        {"a number", "tel:+4930;phone-context=x", "{uri.user}", "+4930"},
        {"no URI", "hello", "{uri.host}", "<null>"},
        {"nothing", "", "{uri.user}", "<null>"},
        {"nameaddr.uri", "\"Bob\" <sip:b@x>;tag=1", "{nameaddr.uri}", "sip:b@x"},
        {"the name keeps quotes and blank", "\"Bob\" <sip:b@x>", "{nameaddr.name}", "\"Bob\" "},
        {"a bare URI", "sip:b@x", "{nameaddr.uri}", "sip:b@x"},
        {"has no name", "sip:b@x", "{nameaddr.name}", ""},
        {"nameaddr.len", "\"Bob\" <sip:b@x>;tag=1", "{nameaddr.len}", "int 15"},
        {"no address", "<sip:b", "{nameaddr.uri}", "<null>"},
        {"tobody.uri", "\"Bob\" <sip:b@x>;tag=1;a=2", "{tobody.uri}", "sip:b@x"},
        {"tobody.tag", "\"Bob\" <sip:b@x>;tag=1", "{tobody.tag}", "1"},
        {"without a tag", "<sip:b@x>", "{tobody.tag}", ""},
        {"tobody.user", "\"Bob\" <sip:b@x>", "{tobody.user}", "b"},
        {"tobody.host", "sip:b@x", "{tobody.host}", "x"},
        {"tobody.params", "<sip:b@x>;tag=1;a=2", "{tobody.params}", "tag=1;a=2"},
        {"tobody.display", "\"Bob\" <sip:b@x>", "{tobody.display}", "\"Bob\""},
        {"tobody of rubbish", "<", "{tobody.uri}", "<null>"},
        {"urialias.encode", "sip:10.0.0.1:5070;transport=tcp", "{urialias.encode}", "10.0.0.1~5070~2"},
        {"udp", "sip:a@10.0.0.1", "{urialias.encode}", "10.0.0.1~5060~1"},
        {"and back", "10.0.0.1~5070~2", "{urialias.decode}", "sip:10.0.0.1:5070;transport=tcp"},
        {"udp back", "10.0.0.1~5060~1", "{urialias.decode}", "sip:10.0.0.1:5060"},
        {"half an alias", "10.0.0.1~5070", "{urialias.decode}", "<null>"},
        {"an unknown protocol", "10.0.0.1~5070~9", "{urialias.decode}", "<null>"},
    });
}

TEST_CASE("parameters, lines, values", "[pv]")
{
    check({
        {"param.value", "k1=v1;k2=v2", "{param.value,k2}", "v2"},
        {"any letter case", "K1=v1", "{param.value,k1}", "v1"},
        {"missing", "k1=v1", "{param.value,k3}", ""},
        {"quotes go", "a=\"x;y\";b=2", "{param.value,a}", "x;y"},
        {"quotes hide separators", "a=\"x;y\";b=2", "{param.value,b}", "2"},
        {"another separator", "a=1,b=2", "{param.value,b,,}", "2"},
        {"in", "a=1;b", "{param.in,b}", "int 1"},
        {"not in", "a=1;b", "{param.in,c}", "int 0"},
        {"valueat", "a=1;b=2", "{param.valueat,1}", "2"},
        {"valueat from the end", "a=1;b=2", "{param.valueat,-2}", "1"},
        {"valueat beyond", "a=1;b=2", "{param.valueat,2}", ""},
        {"name", "a=1;b=2", "{param.name,1}", "b"},
        {"name beyond", "a=1", "{param.name,-2}", ""},
        {"count", "a=1; b=2;;c", "{param.count}", "int 3"},
        {"count none", "", "{param.count}", "int 0"},
        {"count by &", "a=1&b=2", "{param.count,&}", "int 2"},
        {"an index that is none", "a=1", "{param.name,x}", "! {param.name}: \"x\" is not a number"},
        {"a separator that is none", "a=1", "{param.value,a,xx}", "<null>"},
        {"line.count", "a\r\nb\nc", "{line.count}", "int 3"},
        {"the last line end begins no line", "a\nb\n", "{line.count}", "int 2"},
        {"line.at", "a\r\nb\nc", "{line.at,0}", "a"},
        {"line.at from the end", "a\r\nb\nc", "{line.at,-1}", "c"},
        {"line.at beyond", "a", "{line.at,1}", ""},
        {"line.sw", "v=0\r\nm=audio 1\r\n", "{line.sw,m=}", "m=audio 1"},
        {"no such line", "v=0", "{line.sw,m=}", ""},
        {"num.fdigit", "427", "{num.fdigit}", "int 4"},
        {"num.ldigit", "427", "{num.ldigit}", "int 7"},
        {"a negative one", "-427", "{num.fdigit}", "int 4"},
        {"no number", "4x", "{num.ldigit}", "<null>"},
        {"json", "a\"\\\n\x01", "{val.json}", "a\\\"\\\\\\n\\u0001"},
        {"jsonqe", "a\"", "{val.jsonqe}", "\"a\\\"\""},
        {"n0 leaves a value", "x", "{val.n0}", "x"},
        {"ne leaves a value", "x", "{val.ne}", "x"},
        {"re.subst", "+4930123", "{re.subst,/^\\+49(.*)$/0\\1/}", "030123"},
        {"all of them", "a.b.c", "{re.subst,/\\.//g}", "abc"},
        {"letters of either case", "ABC", "{re.subst,/b/x/i}", "AxC"},
        {"no match", "abc", "{re.subst,/z/y/}", "abc"},
        {"a bound in the pattern", "aab", "{re.subst,/a{2}/x/}", "xb"},
    });
}

TEST_CASE("null and numbers as input", "[pv]")
{
    Bench bench;
    test::Messenger message{bench.host, test::sample_request()};
    check_all(bench, *message,
              {
                  {"null stays null", "$(vn(none){s.len})", "<null>"},
                  {"n0 of null", "$(vn(none){val.n0})", "int 0"},
                  {"ne of null", "$(vn(none){val.ne})", ""},
                  {"null in JSON", "$(vn(none){val.jsonqe})", "\"\""},
                  {"a missing header", "$(hdr(X-None){s.md5})", "<null>"},
              });
    bench.set(*message, "$var(n)", Value{42});
    bench.set(*message, "$var(i)", Value{1});
    check_all(bench, *message,
              {
                  {"a number has two digits", "$(var(n){s.len})", "int 2"},
                  {"n0 of a number", "$(var(n){val.n0})", "int 42"},
                  {"a variable as argument", "$(var(n){s.charat,$var(i)})", "2"},
                  {"unknown operation", "$(var(n){s.lem})", "! unknown transformation {s.lem}"},
                  {"an argument too many", "$(var(n){s.len,1})", "! {s.len} has 1 arguments"},
              });
}

TEST_CASE("a refusal is logged", "[pv]")
{
    Bench bench;
    test::Messenger message{bench.host, test::sample_request()};
    bench.set(*message, "$vn(x)", Value{"abc"});
    CHECK(bench.ask(*message, "$(vn(x){s.substr,9,1})") == "<null>");
    CHECK(bench.host.log_lines().has("substr out of range"));
    CHECK(bench.ask(*message, "$(vn(x){uri.user})") == "<null>");
    CHECK(bench.host.log_lines().count("ERROR") == 2);
}
