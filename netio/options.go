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

// HeartbeatOptions are the settings of a transport's heartbeats beyond whether
// there are any, which has a default of its own in each.
type HeartbeatOptions struct {
	Interval  int  `toml:"interval_seconds" kong:"-" default:"30" min:"1" max:"86400"`
	Timestamp bool `toml:"include_timestamp" kong:"-" default:"true"`
	Stats     bool `toml:"include_stats" kong:"-" default:"false"`
}

// Policy returns the policy these settings make.
func (o HeartbeatOptions) Policy(enabled bool) HeartbeatPolicy {
	if !enabled {
		return HeartbeatPolicy{}
	}
	return HeartbeatPolicy{
		Interval: time.Duration(o.Interval) * time.Second, Timestamp: o.Timestamp, Stats: o.Stats,
	}
}
