package netio

import "time"

// ClientOptions are the settings that every transport has for its clients.
type ClientOptions struct {
	MaxClients  int   `toml:"max_clients" kong:"-" default:"10000" min:"0" max:"1000000"`
	PerAddress  int   `toml:"max_clients_per_ip" kong:"-" default:"0" min:"0" max:"1000000"`
	SlowTimeout int   `toml:"slow_timeout_seconds" kong:"-" default:"30" min:"0" max:"86400"`
	SendBuffer  int64 `toml:"send_buffer" kong:"-" type:"bytes" default:"256KiB" min:"0" max:"67108864"`
}

// Transport returns a transport with these settings.
func (o ClientOptions) Transport(name string, f *Form, h HeartbeatPolicy) *Transport {
	return &Transport{
		Name: name, Form: f, Heartbeat: h,
		SendBuffer: int(o.SendBuffer), SlowTimeout: time.Duration(o.SlowTimeout) * time.Second,
		MaxClients: o.MaxClients, PerAddress: o.PerAddress,
	}
}

// rules are the settings of a transport that can be changed under way.
type rules struct {
	heartbeat   HeartbeatPolicy
	sendBuffer  int
	slowTimeout time.Duration
	maxClients  int
	perAddress  int
}

// Reload has other settings hold: for subscribers that are there the heartbeats,
// but of those that have asked for their own, and the slow timeout; for those
// that come the limits, too. Nobody is disconnected.
func (t *Transport) Reload(o ClientOptions, h HeartbeatPolicy) {
	t.rules.Store(&rules{
		heartbeat: h, sendBuffer: int(o.SendBuffer), slowTimeout: time.Duration(o.SlowTimeout) * time.Second,
		maxClients: o.MaxClients, perAddress: o.PerAddress,
	})
}

// Policy returns the heartbeats of subscribers that do not ask for others.
func (t *Transport) Policy() HeartbeatPolicy { return t.rules.Load().heartbeat }

// HeartbeatOptions are the settings of a transport's heartbeats beyond whether
// there are any, which has a default of its own in each.
type HeartbeatOptions struct {
	Interval  int  `toml:"interval_seconds" kong:"-" default:"30" min:"1" max:"86400"`
	Timestamp bool `toml:"include_timestamp" kong:"-" default:"true"`
	Stats     bool `toml:"include_stats" kong:"-" default:"false"`
}

// Policy returns the policy these settings make.
func (o HeartbeatOptions) Policy(enabled bool) HeartbeatPolicy {
	p := HeartbeatPolicy{Timestamp: o.Timestamp, Stats: o.Stats} // what a subscriber gets that asks for some
	if enabled {
		p.Interval = time.Duration(o.Interval) * time.Second
	}
	return p
}
