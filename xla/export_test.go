package xla

// Plugin returns the plugin that the tests are given, or "".
func Plugin() string { return *pluginPath }
