// modules/presence_mwi/summary_test.cpp - which bodies are summaries, and what they say
#include "modules/presence_mwi/summary.h"

#include "test/support/catch.h"

using namespace sipyard;
using namespace sipyard::presence_mwi;

TEST_CASE("summaries are read and written in one form", "[presence_mwi]")
{
    const struct {
        const char *story, *body, *expected;
    } rows[] = {
        {"the least", "Messages-Waiting: yes\r\n", "Messages-Waiting: yes\r\n"},
        {"no message", "Messages-Waiting: no\r\n", "Messages-Waiting: no\r\n"},
        {"letters of either case", "MESSAGES-WAITING: Yes\r\n", "Messages-Waiting: yes\r\n"},
        {"line ends of Unix", "Messages-Waiting: yes\nVoice-Message: 2/8\n",
         "Messages-Waiting: yes\r\nVoice-Message: 2/8\r\n"},
        {"the last line end is missing", "Messages-Waiting: no", "Messages-Waiting: no\r\n"},
        {"the example of RFC 3842",
         "Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 2/8 "
         "(0/2)\r\n",
         "Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 2/8 "
         "(0/2)\r\n"},
        {"blanks wherever they may be", "messages-waiting \t:  no \r\nfax-message:2 / 4( 0/ 1 ) \r\n",
         "Messages-Waiting: no\r\nfax-message: 2/4 (0/1)\r\n"},
        {"a folded line", "Messages-Waiting:\r\n yes\r\nVoice-Message: 1/3\r\n\t(0/1)\r\n",
         "Messages-Waiting: yes\r\nVoice-Message: 1/3 (0/1)\r\n"},
        {"an account in angle brackets", "Messages-Waiting: no\r\nMessage-Account: <sips:a@b.c>\r\n",
         "Messages-Waiting: no\r\nMessage-Account: sips:a@b.c\r\n"},
        {"more than can be counted",
         "Messages-Waiting: yes\r\nVoice-Message: 99999999999999999999/4294967296\r\n",
         "Messages-Waiting: yes\r\nVoice-Message: 4294967295/4294967295\r\n"},
        {"a class nobody knows", "Messages-Waiting: yes\r\nhologram.x: 1/0\r\nnone: 0/0\r\n",
         "Messages-Waiting: yes\r\nhologram.x: 1/0\r\nnone: 0/0\r\n"},
        {"headers of single messages are not for everybody",
         "Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n\r\nTo: <alice@a.b>\r\nSubject: x\r\n\r\nTo: "
         "<b@c.d>\r\n",
         "Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n"},
        {"an empty line at the end", "Messages-Waiting: no\r\n\r\n", "Messages-Waiting: no\r\n"},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        const auto summary = parse_summary(row.body);
        INFO(why(summary));
        REQUIRE(summary);
        const auto text = print_summary(*summary);
        CHECK(text == row.expected);
        CHECK(*parse_summary(text) == *summary);
    }
}

TEST_CASE("what is no summary is refused", "[presence_mwi]")
{
    std::string many = "Messages-Waiting: no\r\n";
    for (std::size_t i = 0; i <= most_classes; ++i)
        many += "c" + std::to_string(i) + ": 0/0\r\n";
    const struct {
        const char* story;
        std::string body;
    } rows[] = {
        {"nothing", ""},
        {"an empty line first", "\r\nMessages-Waiting: yes\r\n"},
        {"another line first", "Voice-Message: 1/0\r\nMessages-Waiting: yes\r\n"},
        {"neither yes nor no", "Messages-Waiting: maybe\r\n"},
        {"no value", "Messages-Waiting:\r\n"},
        {"no colon", "Messages-Waiting yes\r\n"},
        {"a longer name", "Messages-Waiting-x: yes\r\n"},
        {"one number", "Messages-Waiting: yes\r\nVoice-Message: 1\r\n"},
        {"no number", "Messages-Waiting: yes\r\nVoice-Message: a/b\r\n"},
        {"a negative number", "Messages-Waiting: yes\r\nVoice-Message: -1/0\r\n"},
        {"half of the urgent ones", "Messages-Waiting: yes\r\nVoice-Message: 1/0 (1\r\n"},
        {"something after the numbers", "Messages-Waiting: yes\r\nVoice-Message: 1/0 (1/0) x\r\n"},
        {"a class twice", "Messages-Waiting: yes\r\nVoice-Message: 1/0\r\nvoice-message: 2/0\r\n"},
        {"the account too late",
         "Messages-Waiting: yes\r\nVoice-Message: 1/0\r\nMessage-Account: sip:a@b\r\n"},
        {"an account that is no URI", "Messages-Waiting: yes\r\nMessage-Account: alice\r\n"},
        {"an account of two words", "Messages-Waiting: yes\r\nMessage-Account: sip:a b@c\r\n"},
        {"a carriage return inside", "Messages-Waiting: yes\r\nMessage-Account: sip:a\rb@c\r\n"},
        {"a name that is no token", "Messages-Waiting: yes\r\nVoice Message: 1/0\r\n"},
        {"an XML document", "<?xml version=\"1.0\"?><a/>"},
        {"more classes than anybody has", many},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        CHECK_FALSE(parse_summary(row.body));
    }
}

TEST_CASE("what says the same is the same", "[presence_mwi]")
{
    const auto of = [](const char* body) { return canonical(*parse_summary(body)); };
    CHECK(of("Messages-Waiting: yes\nVoice-Message: 1/2\nFax-Message: 0/1\n") ==
          of("messages-waiting: YES\r\nfax-message: 0/1\r\nVOICE-MESSAGE: 1 / 2\r\n\r\nTo: x\r\n"));
    CHECK(of("Messages-Waiting: yes\n") != of("Messages-Waiting: no\n"));
    CHECK(of("Messages-Waiting: no\nVoice-Message: 1/2\n") !=
          of("Messages-Waiting: no\nVoice-Message: 1/2 (0/0)\n"));
    CHECK(of("Messages-Waiting: no\n") != of("Messages-Waiting: no\nMessage-Account: sip:a@b\n"));
}
