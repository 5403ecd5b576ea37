#include "control/alerts/alerts.h"

#include <algorithm>
#include <utility>

#include "control/alerts/alert_limit.h"
#include "control/alerts/exec_target.h"
#include "control/alerts/log_target.h"
#include "control/alerts/webhook_target.h"
#include "core/base/assert.h"
#include "core/base/owner_of.h"

namespace weir {
namespace {

// How often a rule that is ending is looked at: a program that was killed takes a moment to be gone.
constexpr Duration sweep_interval = std::chrono::milliseconds{20};

bool contains(const auto& list, const auto& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// Not in the middle of a character.
void cut(std::string& text, size_t bytes_max) {
  if (text.size() <= bytes_max) return;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  text.resize(end);
}

}  // namespace

struct Alerts::Rule {
  explicit Rule(const config::AlertConfig& its_config) : config(its_config), limit(config.limit, config.per) {}

  bool is_for(const Alert& alert) const {
    return contains(config.on, traits_of(alert.kind).group) &&
           (config.upstreams.empty() || contains(config.upstreams, alert.upstream));
  }
  void raise(const Alert& alert, Instant now);
  bool ended() const noexcept {
    return std::all_of(deliveries.begin(), deliveries.end(), [](const auto& each) { return each->ended(); });
  }

  const config::AlertConfig config;
  AlertLimit limit;
  uint64_t raised = 0;
  std::vector<std::unique_ptr<AlertDelivery>> deliveries;
};

void Alerts::Rule::raise(const Alert& alert, Instant now) {
  ++raised;
  if (!limit.take(now)) {
    for (const auto& delivery : deliveries) delivery->count_suppressed();
    return;
  }
  const auto numbered = std::make_shared<const AlertDelivery::Numbered>(AlertDelivery::Numbered{alert, raised});
  for (const auto& delivery : deliveries) delivery->push(numbered);
}

Alerts::Alerts(const ProbeContext& context, const Log& log, std::string host, uint64_t seed)
    : context_(context), log_(log), host_(std::move(host)), next_seed_(seed), sweep_timer_(on_sweep) {}

Alerts::~Alerts() {
  WEIR_ASSERT(stopped());
}

void Alerts::raise(Alert alert) {
  if (stopping_ || rules_.empty()) return;
  if (alert.unix_ms == 0) alert.unix_ms = context_.clock.unix_ms();
  cut(alert.reason, Alert::reason_bytes_max);
  const Instant now = context_.clock.now();
  for (const auto& rule : rules_) {
    if (rule->is_for(alert)) rule->raise(alert, now);
  }
}

std::vector<AlertFigures> Alerts::figures() const {
  std::vector<AlertFigures> all;
  for (const auto& rule : rules_) {
    for (const auto& delivery : rule->deliveries) {
      all.push_back(delivery->figures());
      all.back().raised = rule->raised;
    }
  }
  return all;
}

// --- rules ----------------------------------------------------------------------------------------------------------

void Alerts::follow(const std::vector<config::AlertConfig>& rules) {
  WEIR_ASSERT(!stopping_);
  std::vector<std::unique_ptr<Rule>> before = std::exchange(rules_, {});
  for (const config::AlertConfig& wanted : rules) {
    const auto same = std::find_if(before.begin(), before.end(),
                                   [&](const auto& rule) { return rule != nullptr && rule->config == wanted; });
    rules_.push_back(same != before.end() ? std::move(*same) : make_rule(wanted));
  }
  for (auto& rule : before) {
    if (rule != nullptr) end(std::move(rule));
  }
  sweep();
}

std::unique_ptr<Alerts::Rule> Alerts::make_rule(const config::AlertConfig& config) {
  auto rule = std::make_unique<Rule>(config);
  const auto add = [&](std::unique_ptr<AlertTarget> target) {
    AlertDelivery::Settings settings{config.name, host_, config.retries, config.backoff};
    rule->deliveries.push_back(std::make_unique<AlertDelivery>(context_.wheel, context_.clock, log_,
                                                               std::move(settings), next_seed_++, std::move(target)));
  };
  if (!config.webhook.host.empty()) add(std::make_unique<WebhookTarget>(http(), config.webhook, config.timeout));
  if (!config.exec.empty()) add(std::make_unique<ExecTarget>(context_, config.exec, config.timeout));
  if (config.log) add(std::make_unique<LogTarget>(context_.wheel, context_.clock, log_));
  return rule;
}

HttpClient& Alerts::http() {
  if (http_ == nullptr) http_ = std::make_unique<HttpClient>(context_.ring, context_.wheel, context_.clock);
  return *http_;
}

void Alerts::end(std::unique_ptr<Rule> rule) {
  for (const auto& delivery : rule->deliveries) {
    const AlertFigures figures = delivery->figures();
    if (figures.queued > 0) {
      log_.warn("alert", "a rule ends before its alerts have arrived",
                {{"rule", figures.rule}, {"target", figures.target}, {"alerts", figures.queued}});
    }
    delivery->end();
  }
  ending_.push_back(std::move(rule));
}

void Alerts::sweep() {
  std::erase_if(ending_, [](const auto& rule) { return rule->ended(); });
  if (!ending_.empty() && !stopping_) context_.wheel.arm(sweep_timer_, context_.clock.now() + sweep_interval);
}

void Alerts::on_sweep(Timer& timer) {
  owner_of(timer, &Alerts::sweep_timer_).sweep();
}

void Alerts::stop() {
  if (std::exchange(stopping_, true)) return;
  for (auto& rule : std::exchange(rules_, {})) end(std::move(rule));
  context_.wheel.cancel(sweep_timer_);
  // Web hooks have ended at once.
  if (http_ != nullptr) http_->stop();
}

bool Alerts::stopped() const noexcept {
  return stopping_ && (http_ == nullptr || http_->stopped()) &&
         std::all_of(ending_.begin(), ending_.end(), [](const auto& rule) { return rule->ended(); });
}

}  // namespace weir
