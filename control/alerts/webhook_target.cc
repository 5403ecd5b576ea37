#include "control/alerts/webhook_target.h"

#include "core/base/owner_of.h"

namespace weir {
namespace {

// An answer is read for its first words alone: they may say what was wrong.
constexpr size_t answer_bytes_max = 4096;
constexpr size_t quoted_bytes_max = 120;

std::string failure_of(const HttpOutcome& outcome) {
  if (!outcome) return outcome.error();
  if (outcome->status >= 200 && outcome->status <= 299) return {};
  std::string failure = "it answered " + std::to_string(outcome->status);
  const std::string line = outcome->body.substr(0, outcome->body.find_first_of("\r\n"));
  if (!line.empty()) failure += ": " + line.substr(0, quoted_bytes_max);
  return failure;
}

}  // namespace

WebhookTarget::WebhookTarget(HttpClient& client, const config::WebhookUrl& url, Duration timeout)
    : client_(client),
      url_((url.tls ? "https://" : "http://") + url.authority + url.target),
      timeout_(timeout),
      call_(on_answer) {}

void WebhookTarget::deliver(const AlertMessage& /*message*/, const std::string& text, Sender& sender) {
  sender_ = &sender;
  HttpRequest request;
  request.method = "POST";
  request.url = url_;
  request.fields = {"Content-Type: application/json"};
  request.body = text;
  request.timeout = timeout_;
  request.answer_bytes_max = answer_bytes_max;
  client_.begin(call_, std::move(request));
}

void WebhookTarget::on_answer(HttpCall& call) {
  WebhookTarget& target = owner_of(call, &WebhookTarget::call_);
  target.sender_->delivered(failure_of(call.outcome()));
}

void WebhookTarget::give_up() {
  if (!call_.under_way()) return;
  client_.cancel(call_);
  sender_->delivered("given up");
}

}  // namespace weir
