// modules/presence_dialoginfo/package_test.cpp - which view a phone gets, by SUBSCRIBE and settings
#include "modules/presence_dialoginfo/test_support.h"

#include "test/support/catch.h"

namespace sipyard::presence_dialoginfo {

using namespace test;

TEST_CASE("the phones and what they get", "[presence_dialoginfo]")
{
    const char* const dialog_info = "application/dialog-info+xml";
    const struct {
        const char* user_agent;
        const char* accept;
        const char* event_params;
        const char* busy; // of one ringing call out, one answered
        IdleBody idle;
    } rows[] = {
        {"Linksys/SPA962-6.1.5(a)", dialog_info, "", "2:confirmed", IdleBody::empty},
        {"Linksys/SPA942-6.1.3(a)", dialog_info, "", "2:confirmed", IdleBody::empty},
        {"Sipura/SPA941-4.1.12", dialog_info, "", "2:confirmed", IdleBody::empty},
        {"Cisco/SPA508G-7.4.9c", dialog_info, "", "1:early 2:confirmed", IdleBody::empty},
        {"Bria 3 release 3.5.5 stamp 71243", dialog_info, "", "1:early 2:confirmed", IdleBody::dummy},
        {"X-Lite release 1104o stamp 56125", dialog_info, "", "1:early 2:confirmed", IdleBody::dummy},
        {"Aastra 6757i/3.2.2.2044", dialog_info, "", "1:early 2:confirmed", IdleBody::dummy},
        {"Mitel 6867i/6.3.0.1020", dialog_info, "", "1:early 2:confirmed", IdleBody::dummy},
        {"Yealink SIP-T46G 28.81.0.110", "application/dialog-info+xml", ";id=7", "1:early 2:confirmed",
         IdleBody::dummy},
        {"Yealink SIP-T21P_E2 52.84.0.15", dialog_info, "", "1:early 2:confirmed", IdleBody::dummy},
        {"snom760/8.7.5.35", dialog_info, "", "1:early 2:confirmed", IdleBody::empty},
        {"PolycomSoundPointIP-SPIP_650-UA/3.0.1", dialog_info, "", "1:early 2:confirmed", IdleBody::empty},
        {"PolycomVVX-VVX_410-UA/5.9.0", dialog_info, "", "1:early 2:confirmed", IdleBody::empty},
        {"Grandstream GXP2160 1.0.9.26",
         "application/dialog-info+xml, multipart/related, application/rlmi+xml", "", "1:early 2:confirmed",
         IdleBody::empty},
        {"N510 IP PRO/42.245", dialog_info, "", "1:early 2:confirmed", IdleBody::empty},
        {"THOMSON ST2030 hw5 fw1.68", dialog_info, "", "1:early 2:confirmed", IdleBody::empty},
        {"Avaya J179 IP Phone 4.0", dialog_info, "", "1:early 2:confirmed", IdleBody::empty},
        {"LinphoneAndroid/4.2 (belle-sip/1.6.3)", "application/pidf+xml", "", "1:early 2:confirmed",
         IdleBody::empty},
        {"PJSUA v2.10 Linux-5.4", dialog_info, "", "1:early", IdleBody::empty},
        {"MicroSIP/3.20.5", dialog_info, "", "1:early", IdleBody::empty},
        {"SIP.js/0.15.6", dialog_info, "", "1:early 2:confirmed", IdleBody::empty},
        {"", "", "", "1:early 2:confirmed", IdleBody::empty},
    };
    for (const auto& row : rows) {
        INFO(row.user_agent);
        Desk desk;
        presence::SubscribeView subscribe;
        subscribe.presentity = bob;
        subscribe.watcher = "sip:desk@example.com";
        subscribe.user_agent = row.user_agent;
        subscribe.accept = row.accept;
        subscribe.event_params = row.event_params;
        const auto variant = desk.package.variant(subscribe);
        REQUIRE(desk.publish(
                    "p", document("<dialog id='1' direction='initiator'><state>early</state></dialog>")) ==
                "");
        REQUIRE(desk.publish("q", document(dialog("2", "confirmed"))) == "");
        CHECK(Desk::dialogs_of(Desk::text_of(desk.package.render(bob, *desk.composite, variant))) ==
              row.busy);
        CHECK(to_text(View::of(variant).idle) == to_text(row.idle));
        CHECK(View::of(variant).privacy == Privacy::full);
        CHECK(variant.filter.empty()); // phones of one kind share one body

        Settings without;
        without.quirks = false;
        CHECK(Desk{without}.package.variant(subscribe) == presence::Variant{});
    }
}

TEST_CASE("a Linksys sees its caller's ringing call as answered", "[presence_dialoginfo]")
{
    const struct {
        const char* direction;
        const char* state;
        const char* seen;
    } rows[] = {
        {"initiator", "early", "confirmed"}, {"initiator", "proceeding", "confirmed"},
        {"initiator", "trying", "trying"},   {"initiator", "terminated", "terminated"},
        {"recipient", "early", "early"},
    };
    View view;
    view.caller_confirmed = true;
    for (const auto& row : rows) {
        INFO(row.direction << " " << row.state);
        Desk desk;
        REQUIRE(desk.publish("p", document("<dialog id='1' direction='" + std::string{row.direction} +
                                           "'><state>" + row.state + "</state></dialog>")) == "");
        CHECK(desk.dialogs(view) == "1:" + std::string{row.seen});
    }
}

TEST_CASE("rules of the operator come first", "[presence_dialoginfo]")
{
    Settings settings;
    settings.quirk_rules = {
        must(FromText<QuirkRule>::parse("^yealink sip-t4[0-9] => none")),
        must(FromText<QuirkRule>::parse("grandstream => dialog_privacy=state; idle_body=last"))};
    const QuirkTable table{settings.quirk_rules, true};
    CHECK(table.of("Yealink SIP-T46G 28.81.0.110") == Quirks{});
    CHECK(table.of("Yealink SIP-T21P") == read_quirks("idle_body=dummy"));
    CHECK(table.of("Grandstream GXP2160") == read_quirks("idle_body=last dialog_privacy=state"));
    CHECK(QuirkTable{{}, false}.of("Yealink SIP-T21P") == Quirks{});

    for (const char* wrong : {"", "Yealink", "Yealink => bump", "Yealink => idle_body=", "(Yealink => none",
                              "x => single_dialog tolerate_timeout", "x => dialog_privacy=open"}) {
        INFO(wrong);
        CHECK_FALSE(FromText<QuirkRule>::parse(wrong));
    }
    std::vector<std::string> unknown;
    CHECK(read_quirks("accept_any, single_dialog", &unknown) == read_quirks("SINGLE_DIALOG"));
    CHECK(unknown == std::vector<std::string>{"accept_any"});
}

TEST_CASE("privacy: the script, then the user himself, then phone and setting", "[presence_dialoginfo]")
{
    const struct {
        const char* story;
        Privacy setting;
        const char* watcher;
        const char* script; // $xavp(pres=>dialog_privacy)
        const char* quirks; // $xavp(pres=>quirks)
        Privacy expected;
    } rows[] = {
        {"nothing said", Privacy::full, "sip:w@x", "", "", Privacy::full},
        {"the setting", Privacy::state, "sip:w@x", "", "", Privacy::state},
        {"his own phone", Privacy::state, bob.data(), "", "", Privacy::full},
        {"the script", Privacy::full, "sip:w@x", "Anonymous", "", Privacy::anonymous},
        {"the script, of his own phone", Privacy::full, bob.data(), "state", "", Privacy::state},
        {"the script's quirks", Privacy::full, "sip:w@x", "", "dialog_privacy=state", Privacy::state},
        {"the script twice", Privacy::full, "sip:w@x", "anonymous", "dialog_privacy=state",
         Privacy::anonymous},
        {"a word nobody knows is as if it were not there", Privacy::anonymous, "sip:w@x", "open", "x=y",
         Privacy::anonymous},
    };
    for (const auto& row : rows) {
        INFO(row.story);
        Settings settings;
        settings.dialog_privacy = row.setting;
        Desk desk{settings};
        presence::SubscribeView subscribe;
        subscribe.presentity = bob;
        subscribe.watcher = row.watcher;
        subscribe.privacy = row.script;
        subscribe.quirks = row.quirks;
        CHECK(to_text(View::of(desk.package.variant(subscribe)).privacy) == to_text(row.expected));
    }
}

TEST_CASE("a view survives as a variant", "[presence_dialoginfo]")
{
    for (const Privacy privacy : {Privacy::full, Privacy::anonymous, Privacy::state})
        for (const IdleBody idle : {IdleBody::empty, IdleBody::none, IdleBody::dummy, IdleBody::last})
            for (int bits = 0; bits < 8; ++bits)
                for (const char* filter : {"", "a b\"c"}) {
                    View view;
                    view.privacy = privacy;
                    view.idle = idle;
                    view.single = (bits & 1) != 0;
                    view.caller_confirmed = (bits & 2) != 0;
                    view.session = (bits & 4) != 0;
                    view.filter = {filter, "", filter};
                    view.own_contact = filter;
                    const View back = View::of(view.variant());
                    CHECK(back.variant() == view.variant());
                    CHECK(back.privacy == privacy);
                    CHECK(back.idle == idle);
                    CHECK(back.single == view.single);
                    CHECK(back.filter.remote_tag == filter);
                    CHECK(back.filter.local_tag.empty());
                    CHECK(back.own_contact == filter);
                }
    View view;
    view.filter.call_id = std::string{"a\0b", 3};
    CHECK(View::of(view.variant()).filter.call_id == "ab");
}

TEST_CASE("settings become traits", "[presence_dialoginfo]")
{
    Settings settings;
    settings.notify_interval_ms = {1'000};
    Desk desk{settings};
    const presence::Traits& traits = desk.package.traits();
    CHECK(traits.name == "dialog");
    CHECK(traits.publish_types == std::vector<std::string>{"application/dialog-info+xml"});
    CHECK(traits.notify_types == traits.publish_types);
    CHECK(traits.notify_interval == 1s);
    CHECK(traits.subscribe.standard == 3'600);
    CHECK(traits.subscribe.least == 30);
    CHECK(traits.publish.least == 1);
    CHECK(traits.identity_params.empty());

    const struct {
        const char* story;
        int Settings::*member;
        int value;
    } wrong[] = {
        {"no lifetime", &Settings::default_expires, 0},
        {"a negative one", &Settings::min_expires, -1},
        {"423 for more than an hour", &Settings::min_expires, 3'601},
        {"least over most", &Settings::max_expires, 29},
        {"publications: least over most", &Settings::min_publish_expires, 3'601},
    };
    for (const auto& row : wrong) {
        INFO(row.story);
        Settings bad;
        bad.*row.member = row.value;
        CHECK_THROWS_AS(Desk{bad}, StartupError);
    }
    Settings both;
    both.force_dummy_dialog = true;
    CHECK(View::of(Desk{both}.package.variant({})).idle == IdleBody::dummy);
    both.idle_body = IdleBody::none;
    CHECK(View::of(Desk{both}.package.variant({})).idle == IdleBody::none);
    both.force_single_dialog = true;
    CHECK(View::of(Desk{both}.package.variant({})).single);
}

} // namespace sipyard::presence_dialoginfo
