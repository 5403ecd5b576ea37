#include "core/zones/make_zone_map.h"

#include <cstdint>
#include <utility>

#include "core/zones/cidr_table.h"
#include "core/zones/maxmind_zones.h"
#include "core/zones/network_zones.h"
#include "core/zones/zone_names.h"

namespace weir::zones {
namespace {

class LayeredZoneMap final : public ZoneMap {
 public:
  LayeredZoneMap(const std::vector<CidrTable::Entry>& networks, const std::vector<CidrTable::Entry>& maxmind,
                 ZoneId default_zone)
      : networks_(networks), maxmind_(maxmind), default_zone_(default_zone) {}

  ZoneId zone_of(const PeerAddress& client) const noexcept override {
    uint32_t zone = networks_.find(client);
    if (zone == CidrTable::none) zone = maxmind_.find(client);
    return zone == CidrTable::none ? default_zone_ : ZoneId{static_cast<uint16_t>(zone)};
  }

 private:
  CidrTable networks_;
  CidrTable maxmind_;
  ZoneId default_zone_;
};

// The names whose ids are nowhere. A network of a zone without endpoints has the index of no_zone, which is no name's.
std::vector<std::string> unseen(const ZoneMapSource& source, const std::vector<CidrTable::Entry>& networks,
                                const std::vector<CidrTable::Entry>& maxmind, ZoneId default_zone) {
  std::vector<bool> seen(size_t{zones_max} + 1);
  for (const CidrTable::Entry& entry : networks) seen[entry.value] = true;
  for (const CidrTable::Entry& entry : maxmind) seen[entry.value] = true;
  seen[index_of(default_zone)] = true;
  std::vector<std::string> names;
  for (size_t i = 0; i < source.names.size(); ++i) {
    if (!seen[i]) names.push_back(source.names[i]);
  }
  return names;
}

}  // namespace

Result<std::shared_ptr<const ZoneMap>, std::string> make_zone_map(const ZoneMapSource& source,
                                                                  std::vector<std::string>* nobody_in) {
  if (source.names.size() > zones_max) {
    return "there are " + std::to_string(source.names.size()) + " zones, and at most " + std::to_string(zones_max) +
           " can be told apart; let endpoints share zones";
  }
  const ZoneNames names(source.names);
  const auto networks = network_zones(source.networks, names);
  if (!networks) return networks.error();
  std::vector<CidrTable::Entry> maxmind;
  if (!source.maxmind_path.empty()) {
    auto read = read_maxmind_zones(source.maxmind_path, source.maxmind_field, names);
    if (!read) return read.error();
    maxmind = std::move(read).value();
  }
  const ZoneId default_zone = names.find(source.default_zone);
  if (nobody_in != nullptr) *nobody_in = unseen(source, *networks, maxmind, default_zone);
  return std::shared_ptr<const ZoneMap>(std::make_shared<LayeredZoneMap>(*networks, maxmind, default_zone));
}

}  // namespace weir::zones
