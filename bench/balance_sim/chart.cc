#include "bench/balance_sim/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>

#include "bench/balance_sim/report.h"

namespace weir::balance_sim {
namespace {

constexpr int columns = 2;
constexpr double panel_width = 460;
constexpr double panel_gap = 30;
constexpr double panel_head = 40;
constexpr double names_width = 132;
constexpr double row_height = 15;
constexpr double top = 52;

// The axis, in milliseconds. What is beyond stands at its end; the table has the figure.
constexpr double ticks[] = {1, 10, 100, 1'000, 10'000};
constexpr double axis_min = std::begin(ticks)[0];
constexpr double axis_max = std::end(ticks)[-1];

constexpr const char* style = R"(
  text { font: 11px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .panel { font-size: 12px; font-weight: 600; }
  .quiet { fill: #57606a; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .range { stroke: #8c959f; stroke-width: 2; }
  .p50 { fill: #8c959f; }
  .p99 { fill: #0969da; }
  .p999 { fill: #bc4c00; }
  .behind { opacity: 0.35; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .quiet { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .range, .p50 { stroke: #656c76; fill: #656c76; }
    .p99 { fill: #4493f8; }
    .p999 { fill: #f0883e; }
  }
)";

template <class... Values>
std::string print(const char* format, Values... values) {
  char text[512];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

// Where a latency stands, from the left end of the axis.
double along(double latency) {
  const double part = std::log(std::clamp(latency, axis_min, axis_max) / axis_min) / std::log(axis_max / axis_min);
  return part * (panel_width - names_width);
}

std::string dot(const char* name, double latency, double left, double y, double radius) {
  return print("<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>\n", name, left + along(latency), y, radius);
}

std::string row(const std::string& name, const Outcome& outcome, double left, double y) {
  const double axis = left + names_width;
  std::string text =
      print("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", axis - 10, y + 4, name.c_str());
  text += print("<g%s><title>%s: p50 %s, p99 %s, p999 %s ms%s</title>\n", outcome.kept_up() ? "" : " class=\"behind\"",
                name.c_str(), milliseconds(outcome.p50).c_str(), milliseconds(outcome.p99).c_str(),
                milliseconds(outcome.p999).c_str(), outcome.kept_up() ? "" : "; queues grew until the end");
  text += print("<line class=\"range\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", axis + along(outcome.p50),
                y, axis + along(outcome.p999), y);
  text += dot("p50", outcome.p50, axis, y, 3) + dot("p999", outcome.p999, axis, y, 3);
  return text + dot("p99", outcome.p99, axis, y, 4) + "</g>\n";
}

std::string panel(const Tournament& tournament, size_t i, double left, double panel_top) {
  const double axis = left + names_width;
  const double rows_top = panel_top + panel_head;
  const double bottom = rows_top + row_height * static_cast<double>(tournament.contenders.size());
  std::string text = print("<text class=\"panel\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", left, panel_top + 12,
                           tournament.scenarios[i].name.c_str());
  for (const double tick : ticks) {
    const double x = axis + along(tick);
    text +=
        print("<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", x, rows_top - 6, x, bottom);
    text += print("<text class=\"quiet\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.0f</text>\n", x, rows_top - 10,
                  tick);
  }
  for (size_t j = 0; j < tournament.contenders.size(); ++j) {
    const double y = rows_top + row_height * (static_cast<double>(j) + 0.5);
    text += row(tournament.contenders[j].label, tournament.outcomes[i][j], left, y);
  }
  return text;
}

}  // namespace

std::string chart(const Tournament& tournament) {
  const double panel_height = panel_head + row_height * static_cast<double>(tournament.contenders.size()) + panel_gap;
  const double width = columns * panel_width + (columns - 1) * panel_gap;
  const size_t rows = (tournament.scenarios.size() + columns - 1) / columns;
  const double height = top + panel_height * static_cast<double>(rows) - panel_gap;

  std::string text = print(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-10 -6 %.0f %.0f\" width=\"%.0f\" role=\"img\">\n"
      "<title>Latencies of each balancing algorithm in each scenario</title>\n",
      width + 30, height + 16, width + 30);
  text += "<style>" + std::string{style} + "</style>\n";
  text +=
      "<text class=\"title\" x=\"0\" y=\"14\">Milliseconds from arrival to answer, simulated; medians of several "
      "seeds</text>\n"
      "<circle class=\"p50\" cx=\"6\" cy=\"32\" r=\"3\"/><text x=\"14\" y=\"36\">p50</text>\n"
      "<circle class=\"p99\" cx=\"56\" cy=\"32\" r=\"4\"/><text x=\"65\" y=\"36\">p99</text>\n"
      "<circle class=\"p999\" cx=\"106\" cy=\"32\" r=\"3\"/><text x=\"114\" y=\"36\">p999</text>\n"
      "<text class=\"quiet\" x=\"160\" y=\"36\">pale: more came than was answered; at the right end: more than 10 s, "
      "or refused</text>\n";
  for (size_t i = 0; i < tournament.scenarios.size(); ++i) {
    const size_t line = i / columns;
    const double left = static_cast<double>(i % columns) * (panel_width + panel_gap);
    text += panel(tournament, i, left, top + static_cast<double>(line) * panel_height);
  }
  return text + "</svg>\n";
}

}  // namespace weir::balance_sim
