// modules/pv/lists.h - the parts the manifest of pv is assembled from, one function per idea
#pragma once

#include "modules/pv/rows.h"

namespace sipyard::pv {

Variables message_variables(); // $rm $rs $mb $msg() $mf ...
Variables header_variables();  // $hdr() $ua $ct $ai ...
Variables uri_variables();     // $ru $ou $du $nh() ...
Variables party_variables();   // $fu $tu and their parts, with edits
Variables socket_variables();  // $si $Ri $fs $snd() ...
Variables via_variables();     // $via0() $via1() $viaZ()
Variables auth_variables();    // $au $ar ...
Variables avp_variables();     // $avp() $xavp() $xavu() $xavi()
Variables branch_variables();  // $branch() $br $ds
Variables process_variables(); // $pp $sid $K() $version() ...

Transformations string_transformations(); // {s.*} but codes
Transformations code_transformations();   // {s.md5}, {s.encode.*}, {s.escape.*} ...
Transformations uri_transformations();    // {uri.*} {nameaddr.*} {tobody.*} {urialias.*}
Transformations param_transformations();  // {param.*}
Transformations value_transformations();  // {val.*} {num.*} {line.*} {re.subst}

} // namespace sipyard::pv
