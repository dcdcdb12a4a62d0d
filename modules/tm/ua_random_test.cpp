// modules/tm/ua_random_test.cpp - events of a call in any order, and what must hold at the end of each
#include "modules/tm/ua_test_support.h"

#include <algorithm>

namespace sipyard::tm {

// Whatever order things happen in: nothing is left behind, every 2xx is acknowledged, every dialog ends once.
TEST_CASE("events in any order", "[tm][ua]")
{
    std::uint32_t seed = 1;
    const auto random = [&](std::uint32_t below) {
        return (seed = seed * 1664525 + 1013904223) / 65536 % below;
    };
    for (int round = 0; round < 40; ++round) {
        INFO("round " << round);
        UaBench b;
        auto setup = b.setup();
        setup.ack = random(2) ? Who::automatic : Who::owner;
        const auto set = b.start(setup);
        const Left invite = b.tm.left[0];
        std::vector<std::string> said;
        std::uint32_t cseq = 0;
        bool final_sent = false;
        for (int step = 0; step < 8; ++step) {
            const char* const tag = random(2) ? "B" : "C";
            const DialogId dialog{set.set, 1 + random(2)};
            switch (random(9)) {
            case 0: b.tm.answer(invite, 180, tag); break;
            case 1:
                b.tm.answer(invite, 200, tag);
                final_sent = true;
                break;
            case 2: b.act([&](Dialogs& d) { d.cancel(set); }); break;
            case 3: b.act([&](Dialogs& d) { d.bye(dialog); }); break;
            case 4: b.act([&](Dialogs& d) { d.ack(dialog); }); break;
            case 5: b.incoming(invite, tag, format("{} BYE", ++cseq)); break;
            case 6:
                b.incoming(invite, tag, format("{} INVITE", ++cseq), "Contact: <sip:b@x>\r\n", "v=0");
                break;
            case 7: {
                DialogSend again;
                again.method = "INVITE";
                b.act([&](Dialogs& d) { d.request(dialog, again); });
                break;
            }
            default: b.host.advance(3s);
            }
        }
        // The end of the world: the owner hangs up, everything is answered, time passes.
        b.act([&](Dialogs& d) { d.bye(set); });
        if (final_sent)
            b.tm.answer(invite, 200, "B", {}, {}, true);
        else
            b.tm.answer(invite, 487, "B");
        for (int i = 0; i < 6; ++i) {
            for (const Left& left : std::vector<Left>{b.tm.left})
                if (left.id && left.cseq != invite.cseq)
                    b.tm.answer(left, left.method == "BYE" ? 200 : 488, "B");
            b.host.advance(40s);
            b.act([&](Dialogs& d) { d.bye(set); });
        }
        std::size_t ends1 = 0, ends2 = 0, ends0 = 0;
        for (const auto& line : b.owner->lines) {
            ends0 += line.starts_with("end/0");
            ends1 += line.starts_with("end/1");
            ends2 += line.starts_with("end/2");
        }
        CHECK(ends0 == 1);
        CHECK(ends1 <= 1);
        CHECK(ends2 <= 1);
        CHECK(b.ua->sets() == 0);
        if (final_sent)
            CHECK(std::any_of(b.tm.left.begin(), b.tm.left.end(),
                              [](const Left& l) { return l.method == "ACK"; }));
    }
}

} // namespace sipyard::tm
