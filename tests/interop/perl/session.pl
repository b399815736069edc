# One session of Net::FTP over TLS: stores files, lists, fetches them as got-NAME, lists again.
use strict;
use warnings;

# Writes every reply to standard error.
package Session;
use parent 'Net::FTP';

sub debug_print {
    my ($ftp, $is_sent, $text) = @_;
    print STDERR $is_sent ? '> ' : '< ', $text;
    return;
}

package main;

my ($host, $port, $user, $authority, $version, undef, undef, @names) = @ARGV;
my $tls = $version eq '1.2' ? 'TLSv1_2' : 'TLSv1_3';
my $ftp = Session->new($host, Port => $port, Passive => 1, Timeout => 20, Debug => 1,
    SSL_ca_file => $authority, SSL_version => $tls, SSL_verifycn_scheme => 'ftp')
    or die "failed to connect: $@\n";

sub must {
    my ($done, $what) = @_;
    die "failed to $what: " . $ftp->message unless $done;
    return;
}

must(scalar $ftp->starttls, 'start TLS');
must(scalar $ftp->login($user, $ENV{SAFETP_PASSWORD}), 'log in');
must(scalar $ftp->binary, 'set TYPE I');
must(scalar $ftp->put($_, $_), "store $_") for @names;
print "$_\n" for $ftp->dir;
must(scalar $ftp->get($_, "got-$_"), "fetch $_") for @names;
print "$_\n" for $ftp->dir;
$ftp->quit;
