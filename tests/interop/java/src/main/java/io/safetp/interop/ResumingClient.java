package io.safetp.interop;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.Socket;
import java.util.Locale;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocket;
import org.apache.commons.net.ftp.FTPSClient;

/**
 * What people do to make JSSE resume on data connections: it looks for a session by host and port, so the control
 * connection's is put under the data connection's port, into a cache that has no public way in.
 */
final class ResumingClient extends FTPSClient {
    ResumingClient() {
        super(false);
    }

    @Override
    protected void _prepareDataSocket_(final Socket socket) throws IOException {
        final SSLSession session = ((SSLSocket) _socket_).getSession();
        final String key = socket.getInetAddress().getHostAddress() + ":" + socket.getPort();
        try {
            remember(session, key.toLowerCase(Locale.ROOT));
        } catch (final ReflectiveOperationException e) {
            throw new IOException(e);
        }
    }

    private static void remember(final SSLSession session, final String key) throws ReflectiveOperationException {
        final SSLSessionContext context = session.getSessionContext();
        final Field field = context.getClass().getDeclaredField("sessionHostPortCache");
        field.setAccessible(true);
        final Object cache = field.get(context);
        final Method put = cache.getClass().getDeclaredMethod("put", Object.class, Object.class);
        put.setAccessible(true);
        put.invoke(cache, key, session);
    }
}
