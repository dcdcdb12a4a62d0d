// test/support/blf_place.h - lamps in scenarios: a proxy's script, phones that call, a presence server the
// test plays, a desk that watches
#pragma once

#include "test/support/catch.h"
#include "test/support/running_server.h"
#include "test/support/sip_peer.h"

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sipyard::test {

// A proxy that follows calls. The INVITE's X-To, X-To-2 ... are where its user was located.
inline std::string proxy(const std::string& modules, const std::string& params,
                         const std::string& requests = {}, const std::string& in_invite = {},
                         const std::string& more = {})
{
    return "auto_aliases=no\nalias=\"example.com\"\nlisten=udp:127.0.0.1:PORT\n"
           "loadmodule \"pv.so\"\nloadmodule \"siputils.so\"\nloadmodule \"sl.so\"\nloadmodule \"tm.so\"\n"
           "loadmodule \"rr.so\"\nloadmodule \"textops.so\"\nloadmodule \"corex.so\"\n" +
           modules + "loadmodule \"dialog.so\"\nloadmodule \"pua.so\"\nloadmodule \"pua_dialoginfo.so\"\n" +
           params + "request_route {\n" + requests +
           "\tif (has_totag()) {\n\t\tif (loose_route()) t_relay();\n\t\telse if (method == \"ACK\") "
           "t_relay();\n\t\texit;\n\t}\n"
           "\tif (method == \"CANCEL\") {\n\t\tt_relay();\n\t\texit;\n\t}\n"
           "\tif (method != \"INVITE\") {\n\t\tsl_send_reply(\"405\", \"Not here\");\n\t\texit;\n\t}\n"
           "\trecord_route();\n\tdlg_manage();\n" +
           in_invite +
           "\t$ru = $hdr(X-To);\n"
           "\tif ($hdr(X-To-2) != $null) append_branch(\"$hdr(X-To-2)\");\n"
           "\tif ($hdr(X-To-3) != $null) append_branch(\"$hdr(X-To-3)\");\n"
           "\tt_relay();\n}\n" +
           more;
}

inline RunningServer::Options at_port(std::uint16_t port)
{
    RunningServer::Options options;
    options.defines["PORT"] = std::to_string(port);
    return options;
}

// A phone of a user at example.com.
struct Phone {
    Phone(std::uint16_t proxy_port, std::string who) : name{std::move(who)}, peer{proxy_port, name} {}
    std::string aor() const { return "sip:" + name + "@example.com"; }
    std::string contact() const { return peer.uri(); }

    SipText invite(const std::string& to, const std::vector<std::string>& located, const std::string& call_id,
                   const std::string& headers = {})
    {
        std::string where;
        for (std::size_t n = 0; n < located.size(); ++n)
            where += "X-To" + (n == 0 ? "" : "-" + std::to_string(n + 1)) + ": " + located[n] + "\r\n";
        return send("INVITE", to, call_id, "a", to, "", 1, where + headers);
    }
    SipText send(const std::string& method, const std::string& ruri, const std::string& call_id,
                 const std::string& from_tag, const std::string& to, const std::string& to_tag, int cseq,
                 const std::string& headers, const std::string& display = "")
    {
        const std::string text =
            method + " " + ruri + " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:" + std::to_string(peer.port()) +
            ";branch=z9hG4bK" + name + method + std::to_string(++sent) + "\r\nFrom: " + display + "<" +
            aor() + ">;tag=" + from_tag + "\r\nTo: <" + to + ">" + (to_tag.empty() ? "" : ";tag=" + to_tag) +
            "\r\nCall-ID: " + call_id + "\r\nCSeq: " + std::to_string(cseq) + " " + method +
            "\r\nContact: <" + contact() + ">\r\nMax-Forwards: 70\r\n" + headers +
            "Content-Length: 0\r\n\r\n";
        peer.send(text);
        return SipText{text};
    }
    // What comes of `method`, other requests and replies passed over.
    SipText wait_for(const std::string& method) { return peer.expect(method); }
    SipText ring(const SipText& invite) { return answer(invite, 180, "Ringing"); }
    SipText answer(const SipText& request, int code, const std::string& reason)
    {
        return peer.reply(request, code, reason);
    }

    std::string name;
    SipPeer peer;
    int sent = 0;
};

inline std::string tag_in(const std::string& value)
{
    const auto at = value.find(";tag=");
    return at == std::string::npos ? "" : value.substr(at + 5, value.find(';', at + 5) - at - 5);
}

// Alice calls bob at one phone; both sides of the signalling.
struct PhoneCall {
    Phone& alice;
    Phone& bob;
    std::string id;
    SipText invite{}, at_bob{}, answer{};
    std::string bob_tag{}, route{};

    void begin(const std::string& headers = {})
    {
        invite = alice.invite(bob.aor(), {bob.contact()}, id, headers);
        at_bob = bob.wait_for("INVITE");
        REQUIRE(at_bob);
    }
    void ring()
    {
        const SipText sent = bob.ring(at_bob);
        bob_tag = tag_in(sent.header("To"));
        REQUIRE(alice.peer.expect(180));
    }
    void pick_up()
    {
        const SipText sent = bob.answer(at_bob, 200, "OK");
        bob_tag = tag_in(sent.header("To"));
        do // a CANCEL has a 200 as well
            answer = alice.peer.expect(200);
        while (answer && answer.method() != "INVITE");
        REQUIRE(answer);
        route = header_lines("Route", header_values(answer.text, "Record-Route"));
        alice.send("ACK", bob.contact(), id, "a", bob.aor(), bob_tag, 1, route);
        REQUIRE(bob.wait_for("ACK"));
    }
    void hang_up()
    {
        alice.send("BYE", bob.contact(), id, "a", bob.aor(), bob_tag, 2, route);
        const SipText bye = bob.wait_for("BYE");
        REQUIRE(bye);
        bob.answer(bye, 200, "OK");
        CHECK(alice.peer.expect(200));
    }
};

// A presence server as a PUBLISH sees it. Every publication is answered, what each user published is kept.
struct PresencePeer {
    explicit PresencePeer(std::uint16_t proxy_port) : peer{proxy_port, "presence"} {}
    // The next PUBLISH of the user, others are answered meanwhile. Empty when none comes.
    SipText next(const std::string& user, int patience_ms = 5000)
    {
        auto& mine = waiting["sip:" + user + "@example.com"];
        while (mine.empty()) {
            const SipText one = peer.receive(patience_ms);
            if (!one)
                return {};
            if (!one.is_request("PUBLISH"))
                continue;
            const int code = verdict ? verdict(one) : 200;
            if (code == 200)
                peer.reply(one, 200, "OK",
                           "SIP-ETag: E" + std::to_string(++tags) + "\r\nExpires: " + one.header("Expires") +
                               "\r\n");
            else if (code > 0)
                peer.reply(one, code, "No", headers);
            waiting[one.ruri()].push_back(one);
        }
        const SipText first = mine.front();
        mine.pop_front();
        return first;
    }
    bool hears_nothing() { return !next("nobody", 300) && waiting_is_empty(); }
    bool waiting_is_empty() const
    {
        for (const auto& [user, list] : waiting)
            if (!list.empty())
                return false;
        return true;
    }
    std::string etag() const { return "E" + std::to_string(tags); }

    SipPeer peer;
    std::map<std::string, std::deque<SipText>> waiting;
    std::function<int(const SipText&)> verdict; // 0: no answer at all
    std::string headers;                        // of a refusal
    int tags = 0;
};

inline std::string attribute(const std::string& xml, const std::string& name)
{
    const auto at = xml.find(" " + name + "=\"");
    if (at == std::string::npos)
        return {};
    const auto begin = at + name.size() + 3;
    return xml.substr(begin, xml.find('"', begin) - begin);
}
inline std::string state_in(const std::string& xml)
{
    const auto at = xml.find("<state");
    if (at == std::string::npos)
        return "";
    const auto begin = xml.find('>', at) + 1;
    return xml.substr(begin, xml.find('<', begin) - begin);
}
inline std::string id_in(const std::string& xml)
{
    const auto at = xml.find("<dialog ");
    return at == std::string::npos ? "" : attribute(xml.substr(at), "id");
}

// The proxy, two phones, and a presence server elsewhere.
struct Elsewhere {
    explicit Elsewhere(const std::string& params = {}, const std::string& in_invite = {},
                       const std::string& more = {}, const std::string& modules = {})
        : port{free_port()}, presence{port}, alice{port, "alice"}, bob{port, "bob"},
          server{folder.write("blf.cfg", proxy(modules,
                                               "modparam(\"pua\", \"outbound_proxy\", \"sip:127.0.0.1:" +
                                                   std::to_string(presence.peer.port()) + "\")\n" + params,
                                               "", in_invite, more)),
                 at_port(port)}
    {
    }
    ~Elsewhere()
    {
        UNSCOPED_INFO(server.log());
        UNSCOPED_INFO(presence.peer.log());
    }
    TempDir folder;
    const std::uint16_t port;
    PresencePeer presence;
    Phone alice, bob;
    RunningServer server;
};

// A lamp: a subscription to a user's calls.
struct Desk {
    explicit Desk(std::uint16_t server) : peer{server, "desk"} {}
    SipText subscribe(const std::string& user, const std::string& id)
    {
        call_id = id;
        target = "sip:" + user + "@example.com";
        peer.request({.method = "SUBSCRIBE",
                      .ruri = target,
                      .call_id = id,
                      .from_tag = "w",
                      .headers = "Event: dialog\r\nExpires: 600\r\nAccept: application/dialog-info+xml\r\n",
                      .to = target,
                      .cseq = ++cseq});
        const SipText ok = peer.expect(200);
        to_tag = tag_in(ok.header("To"));
        route = header_lines("Route", header_values(ok.text, "Record-Route"));
        contact = ok.header("Contact");
        contact = contact.substr(contact.find('<') + 1, contact.find('>') - contact.find('<') - 1);
        return ok;
    }
    int refresh() // the status of the answer
    {
        peer.request(
            {.method = "SUBSCRIBE",
             .ruri = contact,
             .call_id = call_id,
             .to_tag = to_tag,
             .from_tag = "w",
             .headers = route + "Event: dialog\r\nExpires: 600\r\nAccept: application/dialog-info+xml\r\n",
             .to = target,
             .cseq = ++cseq});
        for (;;) {
            const SipText one = peer.receive();
            if (!one || one.is_reply())
                return one.status();
            waiting.push_back(one);
        }
    }
    SipText notify(int patience_ms = 5000)
    {
        SipText one;
        if (!waiting.empty()) {
            one = waiting.front();
            waiting.pop_front();
        } else {
            do
                one = peer.receive(patience_ms);
            while (one && !one.is_request("NOTIFY"));
        }
        if (one)
            peer.reply(one, 200, "OK");
        return one;
    }
    // NOTIFYs until one shows the state; empty when none does.
    SipText until(const std::string& state, int patience_ms = 5000)
    {
        for (;;)
            if (const SipText one = notify(patience_ms); !one || state_in(one.body()) == state)
                return one;
    }

    SipPeer peer;
    std::string call_id, target, to_tag, route, contact;
    std::deque<SipText> waiting;
    int cseq = 0;
};

} // namespace sipyard::test
