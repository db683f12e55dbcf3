# Reads a Vagrantfile as Vagrant does, and prints what it sets as JSON:
#
#   ruby vagrant.rb Vagrantfile yes|no     # whether WinRM can be had

require "json"

# Remembers what is set on it, and on what it hands out.
class Recorder
  attr_reader :set, :calls

  def initialize
    @set, @calls, @parts = {}, [], {}
  end

  def method_missing(name, *words, **named, &block)
    if name.end_with?("=")
      @set[name.to_s.chomp("=")] = words.first
    elsif block || !words.empty? || !named.empty?
      inner = Recorder.new
      block&.call(inner) unless name == :ruby # which runs after a start only
      @calls << { "call" => name.to_s, "words" => words, "named" => named, "inner" => inner.to_h }
    else
      @parts[name.to_s] ||= Recorder.new
    end
  end

  def respond_to_missing?(*) = true

  def to_h = @set.merge("calls" => @calls).merge(@parts.transform_values(&:to_h))

  def to_json(*state) = to_h.to_json(*state)
end

module Vagrant
  def self.configure(version)
    raise "version #{version}" unless version == "2"

    yield(config = Recorder.new)
    puts JSON.generate(config.to_h)
  end
end

winrm = ARGV[1] == "yes"
Gem.define_singleton_method(:find_files) { |*| winrm ? ["winrm.rb"] : [] }
load File.expand_path(ARGV[0])
