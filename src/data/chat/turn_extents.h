// Where in a rendered template the turns stand that are in the loss.
//
//   <|im_start|>assistant\n Hello. <|im_end|> \n
//                          begin   end         tail_end
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "data/chat/conversation.h"
#include "text/chat/chat_template_files.h"

namespace inlay {

// Bytes of the rendered text.
struct TurnExtent {
  std::size_t begin = 0;  // of what is said
  std::size_t end = 0;
  std::size_t tail_end = 0;  // of what the template alone writes behind it
  bool framed = false;       // a call or a thought: the template writes signs around it
};

enum class SpokenBy { kAssistant, kNobody };  // whose turns are in the loss where nothing is said

// Ascending, without overlap. Of a template with {% generation %} the assistant's turns are what it
// encloses. Else a turn reaches from the first character that its message brought to the last one;
// of a framed turn, from where the template stops writing when it asks for the assistant's turn.
// A message of which `trained` says so is in or out, whoever speaks.
std::vector<TurnExtent> turn_extents(const Rendered& rendered, const Conversation& conversation,
                                     const ModelChatTemplate& chat_template,
                                     const RenderOptions& options, SpokenBy by_default);

}  // namespace inlay
