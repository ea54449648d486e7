#!/usr/bin/python3
# A browser with nothing but pages, for webkit.ts: WebKitWebDriver starts and drives it. Unlike WebKit's own MiniBrowser, it writes the
# console to its output, keeps an HTTP cache for pages that are automated, and can be told not to enforce CORS.
import sys

import gi
gi.require_version('Gtk', '3.0')
gi.require_version('WebKit2', '4.1')
from gi.repository import GLib, Gtk, WebKit2

web_security = '--disable-web-security' not in sys.argv

manager = WebKit2.WebsiteDataManager(base_data_directory=sys.argv[1], base_cache_directory=sys.argv[1])
manager.set_itp_enabled(False)
manager.set_tls_errors_policy(WebKit2.TLSErrorsPolicy.IGNORE)
manager.get_cookie_manager().set_accept_policy(WebKit2.CookieAcceptPolicy.ALWAYS)
context = WebKit2.WebContext(website_data_manager=manager)
context.set_cache_model(WebKit2.CacheModel.WEB_BROWSER)
context.set_automation_allowed(True)


def create_view(_session=None):
    settings = WebKit2.Settings()
    settings.set_enable_write_console_messages_to_stdout(True)
    settings.set_disable_web_security(not web_security)
    settings.set_hardware_acceleration_policy(WebKit2.HardwareAccelerationPolicy.NEVER)
    view = WebKit2.WebView(web_context=context, settings=settings, is_controlled_by_automation=True)
    window = Gtk.Window()
    window.add(view)
    window.show_all()
    view.connect('close', lambda _view: window.destroy())
    return view


def automation_started(_context, session):
    info = WebKit2.ApplicationInfo()
    info.set_name('webkit-browser')
    info.set_version(WebKit2.get_major_version(), WebKit2.get_minor_version(), 0)
    session.set_application_info(info)
    session.connect('create-web-view', create_view)


context.connect('automation-started', automation_started)
loop = GLib.MainLoop()
loop.run()
