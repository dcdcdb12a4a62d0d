// modules/presence_dialoginfo/form.h - one dialog as a view shows it, some pieces left out
#pragma once

#include "modules/presence_dialoginfo/dialog.h"
#include "modules/presence_dialoginfo/view.h"

#include <string>
#include <string_view>

namespace sipyard::presence_dialoginfo {

sip::DialogState shown_state(const Dialog& dialog, const View& view);

// Appends the element as whole lines; returns the hash of what is said.
presence::ContentHash append_form(std::string& out, std::string_view name, const Dialog& dialog,
                                  const View& view);

} // namespace sipyard::presence_dialoginfo
