// WebhookTarget: alerts as the bodies of POST requests. An answer 2xx is success; everything else is not, redirects
// too. Control thread only.
#pragma once

#include <string>

#include "control/alerts/alert_target.h"
#include "control/http_client.h"
#include "core/config/resilience_config.h"

namespace weir {

class WebhookTarget final : public AlertTarget {
 public:
  // The client outlives it.
  WebhookTarget(HttpClient& client, const config::WebhookUrl& url, Duration timeout);

  void deliver(const AlertMessage& message, const std::string& text, Sender& sender) override;
  void give_up() override;
  std::string_view kind() const noexcept override { return "webhook"; }

 private:
  static void on_answer(HttpCall& call);

  HttpClient& client_;
  const std::string url_;
  const Duration timeout_;
  HttpCall call_;
  Sender* sender_ = nullptr;
};

}  // namespace weir
