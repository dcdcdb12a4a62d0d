// modules/tm/keys_test.cpp - which requests are the same transaction, and our branch parameter
#include "core/base/format.h"
#include "modules/tm/keys.h"
#include "test/support/catch.h"

namespace sipyard::tm {
namespace {

std::string message(std::string_view method, std::string_view branch,
                    std::string_view host = "192.0.2.1:5060", std::string_view call_id = "c1",
                    std::string_view uri = "sip:bob@example.com", int cseq = 1)
{
    return format("{} {} SIP/2.0\r\nVia: SIP/2.0/UDP {}{}{}\r\nFrom: <sip:a@b>;tag=f\r\nTo: "
                  "<sip:c@d>\r\nCall-ID: {}\r\nCSeq: {} {}\r\n"
                  "Content-Length: 0\r\n\r\n",
                  method, uri, host, branch.empty() ? "" : ";branch=", branch, call_id, cseq, method);
}

Key key_of(const std::string& text, const Matching& matching = {}, bool as_invite = false)
{
    static const Seed seed{1, 2};
    Arena arena;
    return server_key(**sip::Message::parse(text, arena), seed, matching, as_invite);
}

} // namespace

TEST_CASE("what belongs to one server transaction", "[tm]")
{
    const auto invite = message("INVITE", "z9hG4bKx");
    const struct {
        const char* story;
        std::string other;
        bool as_invite, same;
    } rows[] = {
        {"a retransmission", invite, false, true},
        {"its ACK", message("ACK", "z9hG4bKx"), false, true},
        {"its CANCEL as such", message("CANCEL", "z9hG4bKx"), false, false},
        {"the target of its CANCEL", message("CANCEL", "z9hG4bKx"), true, true},
        {"another branch", message("INVITE", "z9hG4bKy"), false, false},
        {"another client, same branch", message("INVITE", "z9hG4bKx", "192.0.2.2:5060"), false, false},
        {"the default port, not written", message("INVITE", "z9hG4bKx", "192.0.2.1"), false, true},
        {"another method", message("BYE", "z9hG4bKx"), false, false},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK((key_of(row.other, {}, row.as_invite) == key_of(invite)) == row.same);
    }
}

TEST_CASE("clients of RFC 2543", "[tm]")
{
    const auto invite = message("INVITE", "1");
    const auto moved = message("ACK", "1", "192.0.2.1:5060", "c1", "sip:bob@192.0.2.9");
    CHECK(key_of(message("ACK", "1")) == key_of(invite));
    CHECK_FALSE(key_of(message("INVITE", "1", "192.0.2.1:5060", "c2")) == key_of(invite));
    CHECK_FALSE(key_of(moved) == key_of(invite));
    CHECK(key_of(moved, {.ruri = false}) == key_of(invite, {.ruri = false}));
    CHECK(key_of(message("ACK", "2"), {.via1 = false}) == key_of(invite, {.via1 = false}));
}

TEST_CASE("Call-ID and CSeq in place of the branch", "[tm]")
{
    const Matching matching{.callid_cseq = true};
    CHECK(key_of(message("INVITE", "z9hG4bKa"), matching) == key_of(message("INVITE", "z9hG4bKb"), matching));
    CHECK_FALSE(key_of(message("INVITE", "z9hG4bKa", "h", "c1", "sip:x", 2), matching) ==
                key_of(message("INVITE", "z9hG4bKa"), matching));
}

TEST_CASE("our branch parameter is recognised, and nobody else's", "[tm]")
{
    const Seed seed{123, 456};
    Arena arena;
    const Ticket ticket{0xabcdef, 77, 3};
    const std::string text{print(ticket, seed, arena)};
    CHECK(text.rfind("z9hG4bK", 0) == 0);
    REQUIRE(read_ticket(text, seed));
    CHECK(*read_ticket(text, seed) == ticket);
    CHECK_FALSE(read_ticket(text, Seed{123, 457}));
    for (std::size_t i = 7; i < text.size(); ++i) { // any change of a byte is noticed
        std::string changed = text;
        changed[i] = changed[i] == '1' ? '2' : '1';
        INFO(changed);
        CHECK_FALSE(read_ticket(changed, seed));
    }
    for (const char* bad : {"", "z9hG4bK", "z9hG4bKsy", "z9hG4bKsy1.2.3", "z9hG4bKsy1.2.3.",
                            "z9hG4bKsy123456789.1.1.00000000", "z9hG4bKsy..."})
        CHECK_FALSE(read_ticket(bad, seed));
}

} // namespace sipyard::tm
