package io.safetp.interop;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.apache.commons.net.ProtocolCommandEvent;
import org.apache.commons.net.ProtocolCommandListener;
import org.apache.commons.net.ftp.FTP;
import org.apache.commons.net.ftp.FTPSClient;

/**
 * One session of Apache Commons Net over TLS: stores files, lists, fetches them as got-NAME, lists again. Replies go to
 * standard error, listings to standard output.
 */
public final class Session {
    private final FTPSClient client;

    private Session(final FTPSClient client) {
        this.client = client;
    }

    /** HOST PORT USER CA VERSION reuse|anew EPSV|PASV NAME... */
    public static void main(final String[] args) throws Exception {
        final FTPSClient client = args[5].equals("reuse") ? new ResumingClient() : new FTPSClient(false);
        client.setTrustManager(trust(args[3]));
        client.setEndpointCheckingEnabled(true);
        client.setEnabledProtocols(new String[] {"TLSv" + args[4]});
        client.setUseEPSVwithIPv4(args[6].equals("EPSV"));
        client.setConnectTimeout(20_000);
        client.setDefaultTimeout(20_000);
        client.setDataTimeout(Duration.ofSeconds(20));
        client.addProtocolCommandListener(new Dialogue());
        client.connect(args[0], Integer.parseInt(args[1]));
        new Session(client).run(args[2], Arrays.asList(args).subList(7, args.length));
    }

    private void run(final String user, final List<String> names) throws IOException {
        check(client.login(user, System.getenv("SAFETP_PASSWORD")));
        client.execPBSZ(0);
        client.execPROT("P");
        check(client.setFileType(FTP.BINARY_FILE_TYPE));
        client.enterLocalPassiveMode();
        for (final String name : names) {
            try (InputStream source = new FileInputStream(name)) {
                check(client.storeFile(name, source));
            }
        }
        list();
        for (final String name : names) {
            try (OutputStream sink = new FileOutputStream("got-" + name)) {
                check(client.retrieveFile(name, sink));
            }
        }
        list();
        check(client.logout());
    }

    private void list() throws IOException {
        final String[] names = client.listNames();
        check(names != null);
        System.out.println(String.join("\n", names));
    }

    private void check(final boolean done) throws IOException {
        if (!done) {
            throw new IOException(client.getReplyString());
        }
    }

    private static TrustManager trust(final String authority) throws GeneralSecurityException, IOException {
        final KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        try (InputStream file = new FileInputStream(authority)) {
            store.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        final TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        return factory.getTrustManagers()[0];
    }

    private static final class Dialogue implements ProtocolCommandListener {
        @Override
        public void protocolCommandSent(final ProtocolCommandEvent event) {
            System.err.println("> " + event.getCommand());
        }

        @Override
        public void protocolReplyReceived(final ProtocolCommandEvent event) {
            System.err.print("< " + event.getMessage());
        }
    }
}
