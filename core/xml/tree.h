// core/xml/tree.h - what a Document holds (for the files of this room)
#pragma once

#include "core/xml/document.h"
#include "core/xml/libxml.h"

namespace sipyard::xml {

struct Document::Tree {
    DocPtr doc;
};

} // namespace sipyard::xml
