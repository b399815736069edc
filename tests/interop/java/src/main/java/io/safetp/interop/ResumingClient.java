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
 *
 * <p>Under TLS 1.3 that session has no ticket: each ticket makes a session of its own, under the port of the connection
 * that it came by, and is good for one resumption. So there the session of the newest ticket is taken.
 */
final class ResumingClient extends FTPSClient {
    private String newest;

    ResumingClient() {
        super(false);
    }

    @Override
    protected void _prepareDataSocket_(final Socket socket) throws IOException {
        final SSLSession control = ((SSLSocket) _socket_).getSession();
        try {
            final Cache cache = new Cache(control.getSessionContext());
            final Object ticket = cache.find(newest == null ? Cache.key(_socket_) : newest);
            newest = Cache.key(socket);
            cache.put(newest, ticket == null || control.getProtocol().equals("TLSv1.2") ? control : ticket);
        } catch (final ReflectiveOperationException e) {
            throw new IOException(e);
        }
    }

    /** JSSE's own, which is private. */
    private static final class Cache {
        private final Object cache;

        Cache(final SSLSessionContext context) throws ReflectiveOperationException {
            final Field field = context.getClass().getDeclaredField("sessionHostPortCache");
            field.setAccessible(true);
            cache = field.get(context);
        }

        static String key(final Socket socket) {
            return (socket.getInetAddress().getHostAddress() + ":" + socket.getPort()).toLowerCase(Locale.ROOT);
        }

        Object find(final String key) throws ReflectiveOperationException {
            return method("get", Object.class).invoke(cache, key);
        }

        void put(final String key, final Object session) throws ReflectiveOperationException {
            method("put", Object.class, Object.class).invoke(cache, key, session);
        }

        private Method method(final String name, final Class<?>... parameters) throws ReflectiveOperationException {
            final Method method = cache.getClass().getDeclaredMethod(name, parameters);
            method.setAccessible(true);
            return method;
        }
    }
}
