# One session of net/ftp over TLS: stores files, lists, fetches them as got-NAME, lists again.
require "net/ftp"

# Writes every reply to standard error.
class Session < Net::FTP
  private

  def getmultiline
    super.tap { |reply| warn "< #{reply}" }
  end
end

host, port, user, authority, version, _reuse, _passive, *names = ARGV
tls = { "1.2" => OpenSSL::SSL::TLS1_2_VERSION, "1.3" => OpenSSL::SSL::TLS1_3_VERSION }.fetch(version)
options = {
  port: Integer(port),
  username: user,
  password: ENV.fetch("SAFETP_PASSWORD"),
  open_timeout: 20,
  read_timeout: 20,
  ssl: { ca_file: authority, verify_mode: OpenSSL::SSL::VERIFY_PEER, min_version: tls, max_version: tls },
}
Session.open(host, options) do |ftp|
  names.each { |name| ftp.putbinaryfile(name) }
  puts ftp.list
  names.each { |name| ftp.getbinaryfile(name, "got-#{name}") }
  puts ftp.list
end
