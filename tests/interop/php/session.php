<?php
// One session of PHP's ftp extension over TLS: stores files, lists, fetches them as got-NAME, lists again.
[, $host, $port, $user] = $argv;
$names = array_slice($argv, 4);

function must(mixed $done, string $what): void
{
    if ($done === false) {
        fwrite(STDERR, "failed to $what\n");
        exit(1);
    }
}

$ftp = ftp_ssl_connect($host, (int) $port, 20);
must($ftp, 'connect');
must(ftp_login($ftp, $user, getenv('SAFETP_PASSWORD')), 'log in');
must(ftp_pasv($ftp, true), 'choose passive mode');
foreach ($names as $name) {
    must(ftp_put($ftp, $name, $name, FTP_BINARY), "store $name");
}
echo implode("\n", ftp_rawlist($ftp, '.')), "\n";
foreach ($names as $name) {
    must(ftp_get($ftp, "got-$name", $name, FTP_BINARY), "fetch $name");
}
echo implode("\n", ftp_rawlist($ftp, '.')), "\n";
ftp_close($ftp);
