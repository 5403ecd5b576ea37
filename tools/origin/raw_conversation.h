// The raw modes: what an origin does with a connection when there is no protocol on it, for tests of L4 balancing.
#pragma once

#include <memory>
#include <string>

#include "tools/origin/conversation.h"
#include "tools/origin/settings.h"

namespace weir::origin {

// What `--raw` asks for, which must be one of the modes. `proxied` is what the PROXY header said; empty without one.
//
//   echo     sends back what comes; after the client's FIN the rest, then closes
//   discard  takes everything, says nothing; closes after the client's FIN
//   endless  sends the pattern for ever and reads nothing
//   banner   speaks first: `proxy DESCRIPTION\n` if there was a header, `banner NAME\n`; then echo
//   name     sends `NAME\n` and closes
//   silent   neither reads nor answers
//   reset    answers the first byte with an RST
std::unique_ptr<Conversation> make_raw_conversation(const Settings& settings, const std::string& proxied);

}  // namespace weir::origin
