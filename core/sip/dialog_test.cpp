// core/sip/dialog_test.cpp - dialogs made from both sides, their paths, sequence numbers and targets
#include "core/sip/dialog.h"

#include "test/support/catch.h"

namespace sipyard::sip {
namespace {

Message& message(Arena& arena, std::string_view first, std::string_view fields)
{
    const auto parsed =
        Message::parse(arena.concat(first, "\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nCall-ID: c1\r\n",
                                    fields, "Content-Length: 0\r\n\r\n"),
                       arena);
    REQUIRE(parsed);
    return **parsed;
}

constexpr std::string_view names =
    "From: \"Al\" <sip:al@a>;tag=L\r\nTo: <sip:bo@b>;tag=R\r\nCSeq: 7 INVITE\r\n";

Message& answer(Arena& arena, std::string_view fields)
{
    return message(arena, "SIP/2.0 200 OK", arena.concat(names, fields));
}

Result<Dialog> caller(const Message& reply)
{
    return Dialog::as_caller("\"Al\" <sip:al@a>;tag=L", "<sip:bo@b>", "c1", 7, reply);
}

} // namespace

TEST_CASE("a caller's dialog is the reply's", "[dialog]")
{
    Arena arena;
    const auto dialog = caller(answer(arena, "Contact: <sip:bo@10.0.0.2:5070;transport=tcp>\r\n"
                                             "Record-Route: <sip:p2;lr>, <sip:p1;lr;x=y>\r\n"));
    REQUIRE(dialog);
    CHECK(dialog->is("c1", "L", "R"));
    CHECK(!dialog->is("c1", "R", "L"));
    CHECK(!dialog->is("c2", "L", "R"));
    CHECK(dialog->local() == "\"Al\" <sip:al@a>;tag=L");
    CHECK(dialog->remote() == "<sip:bo@b>;tag=R");
    const auto path = dialog->path();
    CHECK(path.request_uri == "sip:bo@10.0.0.2:5070;transport=tcp");
    CHECK(path.route == "Route: <sip:p1;lr;x=y>\r\nRoute: <sip:p2;lr>\r\n"); // reversed (12.1.2)
    CHECK(path.next_hop == "sip:p1;lr;x=y");
}

TEST_CASE("a callee's dialog is the request's", "[dialog]")
{
    Arena arena;
    const auto& invite =
        message(arena, "INVITE sip:bo@b SIP/2.0",
                "From: <sip:al@a>;tag=R\r\nTo: Bo <sip:bo@b>\r\nCSeq: 3 INVITE\r\n"
                "Contact: <sip:al@10.0.0.1>\r\nRecord-Route: <sip:p2;lr>\r\nRecord-Route: <sip:p1;lr>\r\n");
    auto dialog = Dialog::as_callee(invite, "L", 100);
    REQUIRE(dialog);
    CHECK(dialog->is("c1", "L", "R"));
    CHECK(dialog->local() == "Bo <sip:bo@b>;tag=L");
    CHECK(dialog->remote() == "<sip:al@a>;tag=R");
    CHECK(dialog->path().route == "Route: <sip:p2;lr>\r\nRoute: <sip:p1;lr>\r\n"); // as they stand (12.1.1)
    CHECK(dialog->next_cseq() == 101);
}

TEST_CASE("how a request of the dialog is addressed (RFC 3261 12.2.1.1)", "[dialog]")
{
    Arena arena;
    const struct {
        const char *story, *fields, *request_uri, *route, *next_hop;
    } rows[] = {
        {"straight", "Contact: <sip:bo@x>\r\n", "sip:bo@x", "", "sip:bo@x"},
        {"a loose router", "Contact: <sip:bo@x>\r\nRecord-Route: <sip:p;lr=on>\r\n", "sip:bo@x",
         "Route: <sip:p;lr=on>\r\n", "sip:p;lr=on"},
        {"a strict one takes the Request-URI", "Contact: <sip:bo@x>\r\nRecord-Route: <sip:q;lr>,<sip:p>\r\n",
         "sip:p", "Route: <sip:q;lr>\r\nRoute: <sip:bo@x>\r\n", "sip:p"},
        {"a strict one alone, with headers that must not stay",
         "Contact: <sip:bo@x>\r\nRecord-Route: <sip:p?a=b>\r\n", "sip:p", "Route: <sip:bo@x>\r\n", "sip:p"},
        {"a route without brackets gets them", "Contact: sip:bo@x\r\nRecord-Route: sip:p\r\n", "sip:p",
         "Route: <sip:bo@x>\r\n", "sip:p"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto dialog = caller(answer(arena, row.fields));
        REQUIRE(dialog);
        const auto path = dialog->path();
        CHECK(path.request_uri == row.request_uri);
        CHECK(path.route == row.route);
        CHECK(path.next_hop == row.next_hop);
    }
}

TEST_CASE("what makes no dialog", "[dialog]")
{
    Arena arena;
    CHECK(!caller(message(arena, "SIP/2.0 180 Ringing",
                          "From: <sip:al@a>;tag=L\r\nTo: <sip:bo@b>\r\nCSeq: 7 INVITE\r\n")));
    CHECK(!Dialog::as_callee(
        message(arena, "INVITE sip:b SIP/2.0", "From: <sip:a>;tag=R\r\nTo: <sip:b>\r\nCSeq: 1 INVITE\r\n"),
        "L", 1));
    CHECK(
        !Dialog::as_callee(message(arena, "INVITE sip:b SIP/2.0",
                                   "From: <sip:a>;tag=R\r\nTo: <sip:b>\r\nCSeq: 1 INVITE\r\nContact: *\r\n"),
                           "L", 1));
    CHECK(!caller(answer(arena, "Contact: <sip:bo@x>\r\nRecord-Route: <sip:p\r\n")));
    std::string many = "Contact: <sip:bo@x>\r\n";
    for (int i = 0; i < 100; ++i)
        many += "Record-Route: <sip:p;lr>\r\n";
    CHECK(!caller(answer(arena, many)));
}

TEST_CASE("sequence numbers (RFC 3261 12.2.2)", "[dialog]")
{
    Arena arena;
    auto dialog = caller(answer(arena, "Contact: <sip:bo@x>\r\n"));
    REQUIRE(dialog);
    const auto turn = [&](const char* cseq) {
        const std::string method = std::string{cseq}.substr(std::string{cseq}.find(' ') + 1);
        return dialog->take_turn(
            message(arena, arena.concat(method, " sip:a SIP/2.0"),
                    arena.concat("From: <sip:b>;tag=R\r\nTo: <sip:a>;tag=L\r\nCSeq: ", cseq, "\r\n")));
    };
    CHECK(turn("5 BYE") == Turn::next); // the caller's first one may have any number
    CHECK(turn("4 INFO") == Turn::late);
    CHECK(turn("5 INFO") == Turn::repeated);
    CHECK(turn("9 INVITE") == Turn::next); // gaps are fine
    CHECK(turn("9 ACK") == Turn::repeated);
    CHECK(turn("10 ACK") == Turn::next); // an ACK counts nothing
    CHECK(turn("10 INFO") == Turn::next);
    CHECK(dialog->next_cseq() == 8);
    dialog->take_cseq(20);
    dialog->take_cseq(11);
    CHECK(dialog->next_cseq() == 21);
}

TEST_CASE("the target follows the Contact, the routes only the 2xx", "[dialog]")
{
    Arena arena;
    auto dialog =
        caller(message(arena, "SIP/2.0 180 Ringing",
                       arena.concat(names, "Contact: <sip:bo@x>\r\nRecord-Route: <sip:p1;lr>\r\n")));
    REQUIRE(dialog);
    const auto& ok = answer(arena, "Contact: <sip:bo@y>\r\nRecord-Route: <sip:p2;lr>\r\n");
    CHECK(dialog->refresh_target(ok));
    CHECK(dialog->target() == "sip:bo@y");
    CHECK(dialog->path().next_hop == "sip:p1;lr");
    dialog->confirm_routes(ok);
    CHECK(dialog->path().next_hop == "sip:p2;lr");
    CHECK(!dialog->refresh_target(answer(arena, "")));
    CHECK(!dialog->refresh_target(answer(arena, "Contact: <sip:>\r\n")));
    CHECK(dialog->target() == "sip:bo@y");
}

} // namespace sipyard::sip
